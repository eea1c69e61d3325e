import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { testBrokers, uniqueName } from '../../support/services.js';
import { until, type World } from './topics-fixture.js';

const PROGRAM = fileURLToPath(new URL('./publishing-process.mjs', import.meta.url));
const SESSIONS = 'pg_stat_activity WHERE datname = current_database() AND application_name = $1';

/** A process of its own that publishes. It ends with the world. */
export interface Publisher {
  signal(name: 'SIGSTOP' | 'SIGCONT'): void;
  /** Kills it, and waits until the server has no session of it. */
  kill(): Promise<void>;
  /** Whether one of its sessions holds the right to publish. */
  leads(): Promise<boolean>;
  /** Ends its sessions, as a server does that takes it for dead. */
  terminate(): Promise<void>;
}

/** Starts a process that publishes the topics of rules (`topics`), of OCSF events (`siem`) or of findings (`findings`). */
export async function spawnPublisher(world: World, what: 'topics' | 'siem' | 'findings'): Promise<Publisher> {
  const name = uniqueName(what);
  await world.keys.ensure();
  const child = spawn(
    process.execPath,
    [PROGRAM, what, world.url, testBrokers().join(','), world.prefix, name, world.home],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const exited = once(child, 'exit');
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  world.onEnd(kill);
  await Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    exited.then(() => Promise.reject(new Error('the publisher ended'))),
  ]);
  const count = async (rows: string): Promise<number> =>
    (await world.pool.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${rows}`, [name])).rows[0]!.n;
  const terminate = async (): Promise<void> =>
    void (await count(`(SELECT pg_terminate_backend(pid) FROM ${SESSIONS}) t`));
  return {
    signal: (signal) => void child.kill(signal),
    terminate,
    async kill() {
      await kill();
      await terminate();
      await until('its sessions have ended', async () => (await count(SESSIONS)) === 0);
    },
    leads: async () =>
      (await count(`pg_locks WHERE locktype = 'advisory' AND granted AND pid IN (SELECT pid FROM ${SESSIONS})`)) > 0,
  };
}
