import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface SmallDisk {
  readonly directory: string;
  remove(): Promise<void>;
}

/** Mounting takes root. */
export const canMount = process.getuid?.() === 0;

/** A file system in memory of that many MiB, owned by whoever owns `like`. Unmounted also when this process is killed: its shell reads the end of its input. */
export async function smallDisk(mebibytes: number, like: string): Promise<SmallDisk> {
  const directory = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-disk-`));
  const script = 'mount -t tmpfs -o size="$1"m tmpfs "$2" && echo mounted && cat >/dev/null; umount -l "$2"';
  const shell = spawn('sh', ['-c', script, 'small-disk', String(mebibytes), directory], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  });
  const ended = once(shell, 'exit');
  await Promise.race([
    once(createInterface({ input: shell.stdout }), 'line'),
    ended.then(() => Promise.reject(new Error('the disk could not be mounted'))),
  ]);
  const { uid, gid } = await stat(like);
  await chown(directory, uid, gid);
  return {
    directory,
    async remove() {
      shell.stdin.end();
      await ended;
      await rm(directory, { recursive: true, force: true });
    },
  };
}
