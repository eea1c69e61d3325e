import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { FaultKind } from './faults.js';

interface Patch {
  /** Compiled file, below the product's directory. */
  readonly file: string;
  readonly from: string | RegExp;
  readonly to: string;
}

export interface Trap {
  /** For people. */
  readonly breaks: string;
  readonly patches: readonly Patch[];
  /** Kinds of fault under which a run finds it; undefined: a run cannot aim at the line, and the scenario of its name finds it. */
  readonly faults?: readonly FaultKind[];
}

/** Lines that the protocol rests on, taken out of a copy of the compiled product: a run that finds nothing then proves nothing. */
export const TRAPS: Readonly<Record<string, Trap>> = {
  'no-lease-check': {
    breaks: 'a node answers whether or not it holds a lease',
    patches: [
      {
        file: 'control/follow/follower.pg.js',
        from: 'isCurrent: () => lease.mayAnswer(clock()),',
        to: 'isCurrent: () => true,',
      },
    ],
    faults: ['stop', 'swallow', 'hold', 'cut'],
  },
  'no-wait': {
    breaks: 'an order is answered when it is committed, without waiting for the nodes',
    patches: [
      {
        file: 'control/follow/follower.pg.js',
        from: /await Promise\.all\(\[inForce\.wait\(seq[^)]*\), appliedInTime\(seq\)\]\)/,
        to: '[{ nodes: 0, guards: 0, expired: 0 }]',
      },
    ],
    faults: ['slow', 'hold'],
  },
  'pipelined-at-once': {
    breaks: 'pipelined questions are decided at once, and their answers held back',
    patches: [
      {
        file: 'platform/http/pipelining.js',
        from: 'res.socket === null ? wait(req, res) : serve(req, res)',
        to: 'serve(req, res)',
      },
    ],
    faults: ['slow', 'cut'],
  },
  'lease-flag': {
    breaks: 'a timer says whether a node holds a lease, instead of a clock read with the decision',
    patches: [
      {
        file: 'control/follow/follower.pg.js',
        from: 'isCurrent: () => lease.mayAnswer(clock()),',
        to: 'isCurrent: (() => { let may = false; setInterval(() => { may = lease.mayAnswer(clock()); }, 50).unref(); return () => may; })(),',
      },
    ],
  },
  'guards-unwaited': {
    breaks: 'a node confirms what it has applied, whatever the guards that it vouches for have',
    patches: [
      {
        file: 'lease/lease.js',
        from: /if \(applied < (?:least|\(behind\.get\(tenant\) \?\? held\))\)/,
        to: 'if (false)',
      },
    ],
    faults: ['guard.stop', 'guard.link'],
  },
  'clock-after-reply': {
    breaks: 'a lease counts from the reply to its renewal, not from before it was sent',
    patches: [
      {
        file: 'control/follow/membership.pg.js',
        from: 'lease.renewed(sent, id, found);',
        to: 'lease.renewed(clock(), id, found);',
      },
    ],
  },
  'renewal-not-durable': {
    breaks: 'a renewal counts that the server warns of: its commit may not outlive a crash',
    patches: [
      { file: 'control/follow/node-rows.pg.js', from: 'queryDurably(session, RENEW,', to: 'session.query(RENEW,' },
    ],
  },
  'reap-any-counter': {
    breaks: 'a row is reaped although it was renewed since it was read',
    patches: [
      {
        file: 'control/follow/node-rows.pg.js',
        from: 'DELETE FROM node WHERE id = $1 AND counter = $2',
        to: 'DELETE FROM node WHERE id = $1 AND $2::bigint IS NOT NULL',
      },
    ],
  },
  'wait-joins-read': {
    breaks: 'a wait is judged by a read of the rows that began before it',
    patches: [
      { file: 'control/follow/waits.js', from: 'for (const wait of asking) {', to: 'for (const wait of waits) {' },
    ],
  },
  'clock-before-read': {
    breaks: 'the time of a row runs from before the reply that first showed it',
    patches: [
      {
        file: 'control/follow/in-force.js',
        from: 'const asking = waits.open();',
        to: 'const asking = waits.open(); const now = performance.now();',
      },
      {
        file: 'control/follow/in-force.js',
        from: /(?<=sum \+ guards, 0\) \};)\s+const now = performance\.now\(\);/,
        to: '',
      },
    ],
  },
};

/** Traps that a run finds, and those that a scenario does. */
export const RUN_TRAPS: readonly string[] = Object.keys(TRAPS).filter((name) => TRAPS[name]!.faults !== undefined);
export const SCENARIO_TRAPS: readonly string[] = Object.keys(TRAPS).filter((name) => TRAPS[name]!.faults === undefined);

/** The trap that CI springs on a day: each in turn, or the one that is named. */
export function trapOfTheDay(day: number, named: string | undefined): string {
  if (named === undefined || named === '') return RUN_TRAPS[day % RUN_TRAPS.length]!;
  if (!RUN_TRAPS.includes(named))
    throw new TypeError(`TRAP must be one of ${RUN_TRAPS.join(', ')}; the specs of the others run each day`);
  return named;
}

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
    if (text.split(from).length !== 2) throw new Error(`${file} does not hold exactly once: ${String(from)}`);
    await writeFile(
      path,
      text.replace(from, () => to),
    );
  }
  return copy;
}
