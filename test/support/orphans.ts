import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { KAFKA_LIBRARIES } from './services.js';

const POLL_INTERVAL_MS = 20;

/** A service whose parent was killed. `guarded: false` kills its guard as well, as `kill -9` of everything else would. */
export async function startOrphan(
  kind: 'postgres' | 'kafka',
  directory: string,
  options: { guarded: boolean },
): Promise<number> {
  const script = resolve('test/support/start-and-wait.mjs');
  const parent = spawn(process.execPath, [script, kind, directory, KAFKA_LIBRARIES], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string];
  const service = Number(line);
  if (!options.guarded) process.kill(guardOf(service), 'SIGKILL');
  parent.kill('SIGKILL');
  await once(parent, 'exit');
  return service;
}

function guardOf(service: number): number {
  const processes = execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' });
  const guard = processes.split('\n').find((line) => line.includes(`rescind-guard ${service} `));
  if (guard === undefined) throw new Error(`no guard of ${service}`);
  return Number.parseInt(guard, 10);
}

/** A zombie is not: whoever is the parent of orphans here may never collect it. */
export function isAlive(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  return stdout.trim() !== '' && !stdout.trim().startsWith('Z');
}

export async function untilGone(pid: number): Promise<void> {
  while (isAlive(pid)) await delay(POLL_INTERVAL_MS);
}
