import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createConfirmationKeeper,
  createControlFollower,
  createControlLog,
  type Caller,
  type ControlFollower,
  type ControlLog,
  type Source,
} from '../../src/control/index.js';
import { buildEvent } from '../../src/emit/index.js';
import {
  eventsSaidBy,
  type CloudEvent,
  type EventDataOf,
  type EventName,
  type SourceEventName,
} from '../../src/contracts/index.js';
import { createAppender, createIntake, type Appender, type Intake, createRuleQuota } from '../../src/ingest/index.js';
import { MIGRATIONS } from '../../src/migrations.js';
import { createMetrics, type Metrics } from '../../src/platform/observe/index.js';
import { createPool, runMigrations } from '../../src/platform/postgres/index.js';
import { ADMIN_CALLER, bootstrap, createRegistry, DEFAULT_TENANT, type Registry } from '../../src/registry/index.js';
import { startParts, type Cleanups } from './cleanups.js';
import { createMigratedDatabase, testLog, type TestDatabase } from './services.js';
import { testSignatures } from './signatures.js';

export const IDP = 'https://idp.acme.example';
export const RAS = 'https://login.chat.example';
export const API = 'https://api.chat.example';

/** The service's inside on a database of its own: an IdP source `idp`, a RAS source `chat`, a caller that may emit for both. */
export interface Stage {
  readonly database: TestDatabase;
  readonly controlLog: ControlLog;
  readonly follower: ControlFollower;
  readonly registry: Registry;
  readonly metrics: Metrics;
  readonly appender: Appender;
  readonly intake: Intake;
  readonly idp: Source;
  readonly chat: Source;
  readonly caller: Caller;
  readonly tenant: string;
  /** Posts one batch and answers with the results. */
  emit(...events: readonly CloudEvent[]): Promise<readonly unknown[]>;
  stop(): Promise<void>;
}

export function createStage(url?: string): Promise<Stage> {
  return startParts((cleanups) => startStage(cleanups, url));
}

async function startStage(cleanups: Cleanups, url: string | undefined): Promise<Omit<Stage, 'stop'>> {
  const database = await createMigratedDatabase();
  cleanups.push(() => database.drop());
  const databaseUrl = url ?? database.url;
  await runMigrations({ url: databaseUrl, migrations: MIGRATIONS });
  const pool = url === undefined ? database.pool : createPool({ url, max: 8, applicationName: 'spec' });
  const controlLog = createControlLog({ pool });
  const confirmations = createConfirmationKeeper({ pool, log: testLog() });
  cleanups.push(() => confirmations.stop());
  const follower = createControlFollower({
    url: databaseUrl,
    controlLog,
    log: testLog(),
    serves: true,
    onSettled: confirmations.keep,
  });
  cleanups.push(() => follower.stop());
  await follower.start();
  const registry = createRegistry({ controlLog, follower, jwksAllowedHosts: ['127.0.0.1'] });
  const home = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-home-`));
  await bootstrap({ home, controlLog, follower });
  await rm(home, { recursive: true });
  const tenant = follower.state.tenantByName(DEFAULT_TENANT)!;
  const actor = { id: ADMIN_CALLER, tenant: tenant.id };
  await registry.createSource(actor, {
    name: 'idp',
    uri: `${IDP}/events`,
    types: eventsSaidBy('idp'),
    issuers: [IDP],
    resources: [],
  });
  await registry.createSource(actor, {
    name: 'chat',
    uri: `${RAS}/events`,
    types: eventsSaidBy('authorization-server', 'resource-server'),
    issuers: [RAS],
    resources: [API],
  });
  await registry.createCaller(actor, { id: 'emitter', roles: { emit: { sources: ['idp', 'chat'] } } });
  const metrics = createMetrics();
  const appender = createAppender({ pool, controlLog, follower, log: testLog(), metrics });
  cleanups.push(() => appender.stop());
  await appender.start();
  const intake = createIntake({
    follower,
    appender,
    ruleQuota: createRuleQuota({ state: follower.state, metrics }),
    signatures: testSignatures({ pool, follower, appender, allowedHosts: ['127.0.0.1'] }),
  });
  const caller = follower.state.caller('emitter')!;
  return {
    database,
    controlLog,
    follower,
    registry,
    metrics,
    appender,
    intake,
    idp: follower.state.sourceByName('idp')!,
    chat: follower.state.sourceByName('chat')!,
    caller,
    tenant: tenant.id,
    async emit(...events) {
      const body = Buffer.from(JSON.stringify(events));
      const answer = await intake.take({ contentType: 'application/cloudevents-batch+json', body, caller });
      return 'batch' in answer ? answer.batch : [answer.single];
    },
  };
}

type Over<N extends EventName> = Partial<EventDataOf[N]>;
const nowSeconds = (): number => Math.floor(Date.now() / 1000);

export const fromIdp = <N extends SourceEventName>(name: N, data: EventDataOf[N], id?: string): CloudEvent<N> =>
  buildEvent(name, { source: `${IDP}/events`, data, ...(id === undefined ? {} : { id }) }) as CloudEvent<N>;

export const fromChat = <N extends SourceEventName>(name: N, data: EventDataOf[N], id?: string): CloudEvent<N> =>
  buildEvent(name, { source: `${RAS}/events`, data, ...(id === undefined ? {} : { id }) }) as CloudEvent<N>;

export const idJag = (over: Over<'id-jag.issued'> = {}): EventDataOf['id-jag.issued'] => ({
  iss: IDP,
  jti: 'gr-1',
  sub: 'alice',
  client_id: 'wiki-at-chat',
  idp_client_id: 'wiki-at-idp',
  aud: [RAS],
  resource: [API],
  scope: 'chat.read chat.write',
  iat: nowSeconds(),
  exp: nowSeconds() + 300,
  sid: 's-1',
  agent: { id: 'agent-7', type: 'assistant' },
  ...over,
});

export const token = (over: Over<'token.issued'> = {}): EventDataOf['token.issued'] => ({
  kind: 'access',
  iss: RAS,
  jti: 'at-1',
  sub: 'chat-alice',
  client_id: 'wiki-at-chat',
  aud: [API],
  scope: 'chat.read',
  iat: nowSeconds(),
  exp: nowSeconds() + 900,
  id_jag: {
    iss: IDP,
    jti: 'gr-1',
    sub: 'alice',
    client_id: 'wiki-at-chat',
    agent: { id: 'agent-7', type: 'assistant' },
  },
  ...over,
});

export const access = (over: Over<'access.allowed'> = {}): EventDataOf['access.allowed'] => ({
  token: { iss: RAS, jti: 'at-1' },
  operation: 'read',
  route: 'GET /messages',
  scope: 'chat.read',
  status: 200,
  records: 3,
  client_address: '192.0.2.7',
  ...over,
});
