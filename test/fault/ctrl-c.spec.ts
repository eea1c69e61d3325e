import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { cleanUp } from '../support/cleanups.js';
import { createTestDatabase, ownKafka, ownPostgres, testBrokers, uniqueName } from '../support/services.js';
import { isAlive, untilGone } from '../support/orphans.js';
import {
  kafkaPid,
  makeHome,
  postgresPid,
  postmasterPid,
  removeHome,
  runRescind,
  untilSeen,
  untilUp,
  type Served,
} from './served.js';

const TEST_TIMEOUT_MS = 180_000;
/** The promise is 5 s; a busy machine may add to what it sees of them. */
const ENDS_WITHIN_MS = 5_000 + 3_000;

const cleanups = cleanUp(afterEach);

async function home(below?: string): Promise<string> {
  const made = await makeHome(below);
  cleanups.push(() => removeHome(made));
  return made;
}

function run(args: readonly string[], directory: string, more: Readonly<Record<string, string>> = {}): Served {
  const served = runRescind(args, directory, more);
  cleanups.push(async () => {
    served.signal('SIGKILL');
    await served.ended;
  });
  return served;
}

async function expectEnd(served: Served, signal: NodeJS.Signals = 'SIGINT'): Promise<void> {
  const sentAt = performance.now();
  served.signal(signal);
  const ended = await served.ended;
  // The process has a status, so it ended by itself and not by the signal's default.
  expect(ended.signal).toBeNull();
  expect(ended.at - sentAt).toBeLessThan(ENDS_WITHIN_MS);
}

async function database(): Promise<string> {
  const made = await createTestDatabase();
  cleanups.push(() => made.drop());
  return made.url;
}

const exists = async (path: string): Promise<true | undefined> => access(path).then(() => true as const);
const external = async (): Promise<Record<string, string>> => ({
  DATABASE_URL: await database(),
  KAFKA_BROKERS: testBrokers().join(),
  TOPIC_PREFIX: uniqueName('ctrl'),
});

describe('Ctrl-C and SIGTERM end a Rescind within 5 s', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    'ends a Rescind that works, on %s',
    async (signal) => {
      const served = run(['serve'], await home(), await external());
      await untilUp(served);
      await expectEnd(served, signal);
      expect((await served.ended).code).toBe(0);
    },
    TEST_TIMEOUT_MS,
  );

  it.each([
    ['before anything', () => Promise.resolve(true as const)],
    ['PostgreSQL', (at: string) => exists(join(at, 'postgres', 'port'))],
    ['Kafka', (at: string) => kafkaPid(at).then(() => true as const)],
  ])(
    'ends a Rescind that is starting: %s',
    async (what, begun) => {
      const at = await home();
      const served = run(['serve'], at);
      // The process hears the signal only once its module is loaded.
      await untilSeen(served, () => exists(join(at, 'postgres', 'owner.json')));
      await untilSeen(served, () => begun(at));
      const pids = what === 'Kafka' ? [await kafkaPid(at)] : [];
      await expectEnd(served);
      expect((await served.ended).code).not.toBe(0);
      for (const pid of pids) await untilGone(pid);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'ends a Rescind whose database is away',
    async () => {
      const postgres = await ownPostgres();
      cleanups.push(() => postgres.remove());
      await postgres.start();
      const served = run(['serve'], await home(), {
        DATABASE_URL: postgres.url,
        KAFKA_BROKERS: testBrokers().join(),
        TOPIC_PREFIX: uniqueName('ctrl'),
      });
      await untilUp(served);
      postgres.kill();
      await untilSeen(served, () =>
        served.out().includes('the control log could not be followed') ? true : undefined,
      );
      await expectEnd(served);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'ends a Rescind whose Kafka is away',
    async () => {
      const kafka = await ownKafka();
      cleanups.push(() => kafka.remove());
      await kafka.start();
      const served = run(['serve'], await home(), {
        DATABASE_URL: await database(),
        KAFKA_BROKERS: kafka.brokers.join(),
        TOPIC_PREFIX: 'ctrl',
        LOG_LEVEL: 'debug',
      });
      await untilUp(served);
      kafka.kill();
      await untilSeen(served, () =>
        /"kafkajs".*(ECONNREFUSED|closed connection)/i.test(served.out()) ? true : undefined,
      );
      await expectEnd(served);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'ends a Rescind that is restarting an embedded service',
    async () => {
      const at = await home();
      const served = run(['serve'], at);
      await untilUp(served);
      process.kill(await kafkaPid(at), 'SIGKILL');
      process.kill(await postgresPid(at), 'SIGKILL');
      for (const name of ['PostgreSQL', 'Kafka'])
        await untilSeen(served, () => (served.out().includes(`${name} ended unexpectedly`) ? true : undefined));
      await expectEnd(served);
      // Nothing is left behind for long: what a stop did not wait for, its guard ends.
      await untilGone(await kafkaPid(at).catch(() => 0));
      const postgres = await postgresPid(at).catch(() => 0);
      if (postgres > 0 && isAlive(postgres)) await untilGone(postgres);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'ends a Rescind of several processes, both at work and at its start',
    async () => {
      const at = await home();
      const more = { ...(await external()), PROCESSES: '2' };
      const served = run(['serve'], at, more);
      await untilUp(served);
      await expectEnd(served);
      const again = run(['serve'], at, { ...more, LOG_LEVEL: 'info' });
      await untilSeen(again, () => (again.out().includes('this node has joined') ? true : undefined));
      await expectEnd(again);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'ends the demo while it starts, while it runs and while it stays up',
    async () => {
      const at = await home('demo');
      const starting = run(['demo'], at);
      await untilSeen(starting, () => exists(join(at, 'demo', 'postgres', 'owner.json')));
      await expectEnd(starting);
      const telling = run(['demo'], at);
      await untilSeen(telling, () => (telling.out().includes('The parties') ? true : undefined));
      await expectEnd(telling);
      const up = run(['demo'], at);
      await untilSeen(up, () => (up.out().includes('stay up at') ? true : undefined));
      await expectEnd(up);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'ends at once if the signal comes twice',
    async () => {
      const postgres = await ownPostgres();
      cleanups.push(() => postgres.remove());
      await postgres.start();
      const served = run(['serve'], await home(), { DATABASE_URL: postgres.url, KAFKA_BROKERS: 'none' });
      await untilUp(served);
      // A server that neither answers nor hangs up holds the stop.
      process.kill(await postmasterPid(postgres.directory), 'SIGSTOP');
      cleanups.push(async () => process.kill(await postmasterPid(postgres.directory), 'SIGCONT'));
      served.signal('SIGINT');
      await untilSeen(served, () => (served.out().includes('"msg":"stopping"') ? true : undefined));
      // The second one may find the stop at its very end, when the system's own answer to it is in force again.
      const sentAt = performance.now();
      served.signal('SIGINT');
      expect((await served.ended).at - sentAt).toBeLessThan(ENDS_WITHIN_MS);
    },
    TEST_TIMEOUT_MS,
  );
});
