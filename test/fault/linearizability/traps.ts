import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

interface Patch {
  /** Compiled file, below the product's directory. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export interface Trap {
  /** For people. */
  readonly breaks: string;
  readonly patches: readonly Patch[];
}

/** Lines that the protocol rests on, taken out of a copy of the compiled product: a run that finds nothing then proves nothing. */
export const TRAPS: Readonly<Record<string, Trap>> = {
  'no-lease-check': {
    breaks: 'a node answers whether or not it holds a lease',
    patches: [{ file: 'control/follower.pg.js', from: 'isCurrent: () => lease.mayAnswer(clock()),', to: 'isCurrent: () => true,' }],
  },
  'no-wait': {
    breaks: 'an order is answered when it is committed, without waiting for the nodes',
    patches: [{ file: 'control/follower.pg.js', from: 'await Promise.all([inForce.wait(seq, tenant), appliedInTime(seq)])', to: '[{ nodes: 0, guards: 0, expired: 0 }]' }],
  },
  'lease-flag': {
    breaks: 'a timer says whether a node holds a lease, instead of a clock read with the decision',
    patches: [
      {
        file: 'control/follower.pg.js',
        from: 'isCurrent: () => lease.mayAnswer(clock()),',
        to: 'isCurrent: (() => { let may = false; setInterval(() => { may = lease.mayAnswer(clock()); }, 50); return () => may; })(),',
      },
    ],
  },
  'guards-unwaited': {
    breaks: 'a node confirms what it has applied, whatever the guards that it vouches for have',
    patches: [{ file: 'control/lease.js', from: 'if (applied < (behind.get(tenant) ?? held))', to: 'if (false)' }],
  },
  'clock-after-reply': {
    breaks: 'a lease counts from the reply to its renewal, not from before it was sent',
    patches: [{ file: 'control/membership.pg.js', from: 'lease.renewed(sent, id, found);', to: 'lease.renewed(clock(), id, found);' }],
  },
};

/** A copy of the compiled product with the trap in it; returns its directory. */
export async function setTrap(name: string, product: string): Promise<string> {
  const trap = TRAPS[name];
  if (!trap) throw new TypeError(`no trap named ${name}; there are ${Object.keys(TRAPS).join(', ')}`);
  const copy = resolve('.fault', name);
  await rm(copy, { recursive: true, force: true });
  await cp(product, copy, { recursive: true });
  for (const { file, from, to } of trap.patches) {
    const path = join(copy, file);
    const text = await readFile(path, 'utf8');
    if (text.split(from).length !== 2) throw new Error(`${file} does not hold exactly once: ${from}`);
    await writeFile(path, text.replace(from, () => to));
  }
  return copy;
}
