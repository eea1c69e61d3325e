import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { Kafka, logLevel, type Producer } from 'kafkajs';
import { createControlFollower, createControlLog, type Source } from '../../src/control/index.js';
import type { EventName } from '../../src/contracts/index.js';
import { MIGRATIONS } from '../../src/migrations.js';
import { createPool, runMigrations, type Pool } from '../../src/platform/index.js';
import { ADMIN_CALLER, bootstrap, createRegistry, DEFAULT_TENANT } from '../../src/registry/index.js';
import { testBrokers, testLog, uniqueName } from '../support/services.js';
import { API, IDP, RAS } from '../support/stage.js';
import type { Sent } from './traffic.js';

const IDP_TYPES: EventName[] = ['id-jag.issued', 'session.ended', 'connection.created', 'connection.updated', 'connection.deleted'];
const RAS_TYPES: EventName[] = ['token.issued', 'token.revoked', 'access.allowed', 'access.denied', 'access.summary'];
const PARTITIONS = { idp: 2, chat: 3 };

/** A database with two sources in it, topics for them, and a process that ingests, to be killed and started again. */
export interface Deployment {
  readonly tenant: string;
  readonly idp: Source;
  readonly chat: Source;
  readonly pool: Pool;
  send(sent: readonly Sent[]): Promise<void>;
  /** Starts the ingesting process; resolves when it has subscribed. */
  start(): Promise<void>;
  /** Starts one more, of the same group; its pid. */
  startAnother(): Promise<number>;
  /** Of the process that {@link start} started. */
  pid(): number;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Whether the process has a transaction open in which it has written. */
  isWriting(): Promise<boolean>;
  stop(): Promise<void>;
}

export async function deploy(url: string, brokers = testBrokers()): Promise<Deployment> {
  await runMigrations({ url, migrations: MIGRATIONS });
  const pool = createPool({ url, max: 4, applicationName: 'spec-fault', onIdleError: () => undefined });
  const { tenant, sources } = await registerSources(url, pool);
  const kafka = new Kafka({ clientId: 'spec-fault', brokers, logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const topics = (['idp', 'chat'] as const).map((name) => ({ topic: sources[name].topic, numPartitions: PARTITIONS[name] }));
  await admin.createTopics({ topics, waitForLeaders: true });
  await admin.disconnect();
  const producer: Producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const groupId = uniqueName('fault');
  const applicationName = uniqueName('fault');
  let running: ChildProcess | undefined;
  const others: ChildProcess[] = [];

  const launch = async (): Promise<ChildProcess> => {
    const program = resolve('test/fault/ingest-process.mjs');
    const launched = spawn(process.execPath, [program, url, brokers.join(','), groupId, applicationName], { stdio: ['ignore', 'pipe', 'inherit'] });
    await Promise.race([
      once(createInterface({ input: launched.stdout! }), 'line'),
      once(launched, 'exit').then(([code]) => Promise.reject(new Error(`the ingesting process ended with ${String(code)}`))),
    ]);
    return launched;
  };

  const kill = async (): Promise<void> => {
    if (!running) return;
    const gone = once(running, 'exit');
    running.kill('SIGKILL');
    await gone;
    running = undefined;
  };
  return {
    tenant,
    ...sources,
    pool,
    kill,
    async send(sent) {
      const topicMessages = (['idp', 'chat'] as const).map((name) => ({ topic: sources[name].topic, messages: sent.filter(({ to }) => to === name).map(({ message }) => message) }));
      await producer.sendBatch({ topicMessages });
    },
    async start() {
      running = await launch();
    },
    async startAnother() {
      const other = await launch();
      others.push(other);
      return other.pid!;
    },
    pid: () => running!.pid!,
    async isWriting() {
      const { rowCount } = await pool.query('SELECT 1 FROM pg_stat_activity WHERE application_name = $1 AND backend_xid IS NOT NULL', [applicationName]);
      return rowCount! > 0;
    },
    async stop() {
      await kill();
      for (const other of others) other.kill('SIGKILL');
      await producer.disconnect();
      await pool.end();
    },
  };
}

async function registerSources(url: string, pool: Pool): Promise<{ tenant: string; sources: { idp: Source; chat: Source } }> {
  const controlLog = createControlLog({ pool });
  const follower = createControlFollower({ url, controlLog, log: testLog(), serves: true });
  await follower.start();
  const home = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-home-`));
  await bootstrap({ home, controlLog, follower });
  await rm(home, { recursive: true });
  const registry = createRegistry({ controlLog, follower });
  const tenant = follower.state.tenantByName(DEFAULT_TENANT)!.id;
  const actor = { id: ADMIN_CALLER, tenant };
  const register = async (types: EventName[], issuer: string, resources: string[]): Promise<Source> => {
    const name = uniqueName('s');
    await registry.createSource(actor, { name, uri: `${issuer}/${name}`, types, issuers: [issuer], resources });
    return follower.state.sourceByName(name)!;
  };
  const sources = {
    idp: await register(IDP_TYPES, IDP, []),
    chat: await register(RAS_TYPES, RAS, [API, 'https://files.chat.example']),
  };
  await follower.stop();
  return { tenant, sources };
}

const POLL_MS = 2;

/** Asks until it holds; jest's own limit ends a wait for what never comes. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await delay(POLL_MS);
}
