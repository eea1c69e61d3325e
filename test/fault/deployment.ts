import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import {
  AssignerProtocol,
  ConfigResourceTypes,
  Kafka,
  logLevel,
  type Admin,
  type Message,
  type Producer,
} from 'kafkajs';
import { createControlFollower, createControlLog, type Source } from '../../src/control/index.js';
import type { EventName } from '../../src/contracts/index.js';
import { MIGRATIONS } from '../../src/migrations.js';
import { ensureTopics } from '../../src/platform/kafka/topics.kafka.js';
import { createPool, runMigrations, type Pool, type SessionTimeouts } from '../../src/platform/postgres/index.js';
import { ADMIN_CALLER, bootstrap, createRegistry, DEFAULT_TENANT, type Registry } from '../../src/registry/index.js';
import { hold } from '../support/hold.js';
import { testBrokers, testLog, uniqueName } from '../support/services.js';
import { API, IDP, RAS } from '../support/stage.js';
import type { Sent } from './traffic.js';

const IDP_TYPES: EventName[] = [
  'id-jag.issued',
  'session.ended',
  'connection.created',
  'connection.updated',
  'connection.deleted',
];
const RAS_TYPES: EventName[] = ['token.issued', 'token.revoked', 'access.allowed', 'access.denied', 'access.summary'];
const PARTITIONS = { idp: 2, chat: 3 };

/** A database with two sources in it, topics for them, and processes that ingest, to be killed and started again. */
export interface Deployment {
  readonly url: string;
  readonly brokers: readonly string[];
  readonly tenant: string;
  readonly idp: Source;
  readonly chat: Source;
  readonly pool: Pool;
  readonly admin: Admin;
  send(sent: readonly Sent[]): Promise<void>;
  sendTo(topic: string, messages: readonly Message[]): Promise<void>;
  makeTopic(source: 'idp' | 'chat'): Promise<void>;
  /** The next record of each partition begins a file. */
  beginSegment(topic: string): Promise<void>;
  /** One more source of usage, with a topic that Rescind makes. */
  register(): Promise<Source>;
  disable(source: Source): Promise<void>;
  /** Starts the ingesting process; resolves when it has subscribed. */
  start(): Promise<void>;
  /** Starts one more, of the same group; its pid. */
  startAnother(): Promise<number>;
  /** The process id of the process that {@link start} started. */
  pid(): number;
  /** Sends SIGKILL to the process that {@link start} started, or to another; resolves when the process is gone. */
  kill(pid?: number): Promise<void>;
  /** The partitions of `chat` that each process has, by its name in the group; empty while that is being found out. */
  members(): Promise<ReadonlyMap<string, readonly number[]>>;
  /** Holds up every batch that has something for the ledger; returns what lets them go. */
  holdLedger(): Promise<() => Promise<void>>;
  /** Whether a process has a transaction open in which it has written. */
  isWriting(): Promise<boolean>;
  /** Whether one of the processes waits for a lock of another session. */
  isBlocked(): Promise<boolean>;
  stop(): Promise<void>;
}

export interface DeployOptions {
  readonly brokers?: readonly string[];
  /** Shorter than the service's, so that a spec sees them act, or longer, so that it sees what does not wait for them. */
  readonly timeouts?: Partial<SessionTimeouts>;
}

export async function deploy(
  url: string,
  { brokers = testBrokers(), timeouts = {} }: DeployOptions = {},
): Promise<Deployment> {
  await runMigrations({ url, migrations: MIGRATIONS });
  const pool = createPool({ url, max: 4, applicationName: 'spec-fault', onIdleError: () => undefined });
  const { tenant, sources, register, disable, end } = await registerSources(url, pool);
  const kafka = new Kafka({ clientId: 'spec-fault', brokers: [...brokers], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const makeTopic = async (source: 'idp' | 'chat'): Promise<void> => {
    await ensureTopics(admin, [{ topic: sources[source].topic, partitions: PARTITIONS[source] }]);
  };
  await makeTopic('idp');
  await makeTopic('chat');
  const producer: Producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const groupId = uniqueName('fault');
  const applicationName = uniqueName('fault');
  const processes = new Map<number, ChildProcess>();
  let first: number | undefined;

  const launch = async (): Promise<number> => {
    const program = resolve('test/fault/ingest-process.mjs');
    const launched = spawn(
      process.execPath,
      [program, url, brokers.join(','), groupId, applicationName, JSON.stringify(timeouts)],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    processes.set(launched.pid!, launched);
    await Promise.race([
      once(createInterface({ input: launched.stdout! }), 'line'),
      once(launched, 'exit').then(([code]) =>
        Promise.reject(new Error(`the ingesting process ended with ${String(code)}`)),
      ),
    ]);
    return launched.pid!;
  };

  const kill = async (pid = first): Promise<void> => {
    const killed = processes.get(pid!);
    if (!killed) return;
    processes.delete(pid!);
    const gone = once(killed, 'exit');
    killed.kill('SIGKILL');
    await gone;
  };
  const holds = async (sql: string): Promise<boolean> => (await pool.query(sql, [applicationName])).rowCount! > 0;
  return {
    url,
    brokers,
    tenant,
    ...sources,
    pool,
    admin,
    kill,
    makeTopic,
    register,
    disable,
    async beginSegment(topic) {
      const configEntries = [{ name: 'segment.ms', value: '1' }];
      await admin.alterConfigs({
        validateOnly: false,
        resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries }],
      });
    },
    async send(sent) {
      const topicMessages = (['idp', 'chat'] as const).map((name) => ({
        topic: sources[name].topic,
        messages: sent.filter(({ to }) => to === name).map(({ message }) => message),
      }));
      await producer.sendBatch({ topicMessages });
    },
    async sendTo(topic, messages) {
      // A producer asks for ever for topics that it once wrote to, and fails where one is gone.
      const another = kafka.producer({ allowAutoTopicCreation: false });
      await another.connect();
      await another.send({ topic, messages: [...messages] });
      await another.disconnect();
    },
    async start() {
      first = await launch();
    },
    startAnother: launch,
    pid: () => first!,
    async members() {
      const { groups } = await admin.describeGroups([groupId]);
      if (groups[0]!.state !== 'Stable') return new Map();
      return new Map(
        groups[0]!.members.map(({ memberId, memberAssignment }) => [
          memberId,
          AssignerProtocol.MemberAssignment.decode(memberAssignment)?.assignment[sources.chat.topic] ?? [],
        ]),
      );
    },
    holdLedger: () => hold(pool, 'SELECT FROM ledger_head FOR UPDATE'),
    isWriting: () => holds('SELECT FROM pg_stat_activity WHERE application_name = $1 AND backend_xid IS NOT NULL'),
    isBlocked: () =>
      holds(
        `SELECT FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock' AND cardinality(pg_blocking_pids(pid)) > 0`,
      ),
    async stop() {
      for (const pid of processes.keys()) await kill(pid);
      await producer.disconnect();
      await admin.disconnect();
      await end();
      await pool.end();
    },
  };
}

async function registerSources(url: string, pool: Pool) {
  const controlLog = createControlLog({ pool });
  const follower = createControlFollower({ url, controlLog, log: testLog(), serves: true });
  await follower.start();
  const home = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-home-`));
  await bootstrap({ home, controlLog, follower });
  await rm(home, { recursive: true });
  const registry: Registry = createRegistry({ controlLog, follower });
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
  return {
    tenant,
    sources,
    register: () => register(RAS_TYPES, RAS, [API]),
    disable: async ({ name }: Source): Promise<void> => void (await registry.disableSource(actor, name)),
    end: () => follower.stop(),
  };
}

const POLL_MS = 2;

/** Asks until it holds; jest's own limit ends a wait for what never comes. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await delay(POLL_MS);
}
