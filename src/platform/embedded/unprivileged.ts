import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ACCOUNT = 'postgres';

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Finds or makes the account that PostgreSQL runs under, because PostgreSQL refuses to run as root. Undefined if this process is not
 * root.
 */
export async function unprivilegedAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const existing = await findAccount();
  if (existing !== undefined) return existing;
  await run('groupadd', ['--system', ACCOUNT]).catch(() => undefined);
  await run('useradd', ['--system', '--gid', ACCOUNT, '--no-create-home', '--shell', '/usr/sbin/nologin', ACCOUNT]);
  const created = await findAccount();
  if (created === undefined) throw new Error(`the account ${ACCOUNT} could not be made`);
  return created;
}

async function findAccount(): Promise<Account | undefined> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', ACCOUNT]), run('id', ['-g', ACCOUNT])]);
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch {
    return undefined;
  }
}

/** Finds a directory on the way to `path` that the account may not pass, as in a checkout under `/root`; the one nearest to the root. */
export async function findBarrier(path: string, account: Account): Promise<string | undefined> {
  const parents: string[] = [];
  for (let at = dirname(path); ; at = dirname(at)) {
    parents.unshift(at);
    if (at === dirname(at)) break;
  }
  for (const directory of parents) {
    const { mode, uid, gid } = await stat(directory);
    const executable = uid === account.uid ? mode & 0o100 : gid === account.gid ? mode & 0o010 : mode & 0o001;
    if (executable === 0) return directory;
  }
  return undefined;
}

/** capabilities(7): the first passes directories and reads; the second also writes. Containers often grant only the second. */
const PASSING_CAPABILITIES = [
  { name: 'dac_read_search', bit: 2n },
  { name: 'dac_override', bit: 1n },
] as const;

/**
 * Returns a command line that runs `command` under the account, with the one capability that lets it pass directories closed to the
 * account, through `setpriv` of util-linux. Undefined if that is not possible.
 */
export async function passingBarriers(
  account: Account,
  command: string,
  args: readonly string[],
): Promise<readonly string[] | undefined> {
  try {
    const status = await readFile('/proc/self/status', 'utf8');
    const permitted = BigInt(`0x${/^CapPrm:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
    const capability = PASSING_CAPABILITIES.find(({ bit }) => ((permitted >> bit) & 1n) === 1n);
    if (capability === undefined) return undefined;
    await run('setpriv', ['--version']);
    const held = `-all,+${capability.name}`;
    const identity = [`--reuid=${account.uid}`, `--regid=${account.gid}`, '--clear-groups'];
    return [
      'setpriv',
      ...identity,
      `--inh-caps=${held}`,
      `--ambient-caps=${held}`,
      `--bounding-set=${held}`,
      '--',
      command,
      ...args,
    ];
  } catch {
    return undefined;
  }
}
