import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  canonicalJson,
  eventType,
  validateEventData,
  type EventDataOf,
  type SourceEventName,
} from '../../../src/contracts/index.js';
import {
  createControlFollower,
  createControlLog,
  DEFAULT_TOKEN_PROFILE,
  type CallerRoles,
  type NewControlRecord,
} from '../../../src/control/index.js';
import { contentOf } from '../../../src/ingest/index.js';
import { appendEntries, prepareEntry } from '../../../src/log/index.js';
import { createExplore, ExploreModule } from '../../../src/explore/index.js';
import { createOpenFindings, DETECTIONS, FindingsModule, followNext, lastNews } from '../../../src/findings/index.js';
import { CHANNEL_ENTITIES, ChannelsModule, createSender } from '../../../src/channels/index.js';
import { createEgress, parseAllowed } from '../../../src/platform/egress/index.js';
import { createHttpApp, listenHttp } from '../../../src/platform/http/index.js';
import { type Log } from '../../../src/platform/log/index.js';
import { inTransaction, runMigrations } from '../../../src/platform/postgres/index.js';
import { writeProjections, type ColdUses, type ProjectedEvent } from '../../../src/projections/index.js';
import { MIGRATIONS } from '../../../src/migrations.js';
import { createQuestions, createReader, describeApi, QueryModule } from '../../../src/query/index.js';
import {
  createAuthenticator,
  createIdentify,
  createRegistry,
  createTurns,
  RegistryModule,
} from '../../../src/registry/index.js';
import { ruleKeyToBytes, selectorKey, type Selector } from '../../../src/rules/index.js';
import { CSV_MEDIA_TYPE, SettingsModule } from '../../../src/settings/index.js';
import { startParts, type Cleanups } from '../../support/cleanups.js';
import { createFindingsParts } from '../../support/findings-parts.js';
import { createMigratedDatabase, createTestTemplate, testLog, type TestDatabase } from '../../support/services.js';

/** The clock of the questions: 2026-09-22T18:00:00Z. */
export const NOW = 1_790_100_000;
/** A certificate for localhost, self-signed, for specs alone. */
const CERTIFICATE = new URL('../registry/tls/localhost-cert.pem', import.meta.url);
/** When the history begins. */
export const T = 1_790_000_000;

export const ACME = '0aaaaaaa-0000-4000-8000-000000000000';
export const GLOBEX = '0bbbbbbb-0000-4000-8000-000000000000';
const KEYS: Readonly<Record<string, Buffer>> = { [ACME]: Buffer.alloc(32, 1), [GLOBEX]: Buffer.alloc(32, 2) };

const RAS_TYPES: readonly SourceEventName[] = ['token.issued', 'access.allowed', 'access.denied', 'access.summary'];

export const SOURCES = {
  idp: {
    id: '10000000-0000-4000-8000-000000000001',
    tenant: ACME,
    uri: 'https://idp.example',
    resources: ['https://crm.example/api', 'https://wiki.example/api'],
    types: ['id-jag.issued', 'id-jag.denied', 'connection.created', 'connection.deleted', 'user.disabled'],
  },
  crm: {
    id: '10000000-0000-4000-8000-000000000002',
    tenant: ACME,
    uri: 'https://crm.example',
    resources: ['https://crm.example/api'],
    types: RAS_TYPES,
  },
  wiki: {
    id: '10000000-0000-4000-8000-000000000003',
    tenant: ACME,
    uri: 'https://wiki.example',
    resources: ['https://wiki.example/api'],
    types: RAS_TYPES,
  },
  globex: {
    id: '10000000-0000-4000-8000-000000000004',
    tenant: GLOBEX,
    uri: 'https://globex.example',
    resources: ['https://crm.example/api'],
    types: ['token.issued'],
  },
  /** Registered, and never heard. */
  hr: {
    id: '10000000-0000-4000-8000-000000000005',
    tenant: ACME,
    uri: 'https://hr.example',
    resources: [],
    types: ['user.disabled'],
  },
} as const;

const ROLES: Readonly<Record<string, CallerRoles>> = {
  audit: { audit: {} },
  admin: { admin: {} },
  emit: { emit: { sources: ['crm'] } },
  introspect: { introspect: { resources: ['https://crm.example/api'], issuers: ['https://auth.crm.example'] } },
  guard: { guard: { resources: ['https://crm.example/api'], issuers: ['https://auth.crm.example'] } },
  'revoke-own': { 'revoke-own': { clients: [{ iss: 'https://auth.crm.example', client_id: 'assistant-at-crm' }] } },
  revoke: { revoke: { tenant: true } },
};
export const ROLE_NAMES = Object.keys(ROLES);

export const secretOf = (caller: string): string => `secret-of-${caller}`;
export const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');

export interface Said<N extends SourceEventName = SourceEventName> {
  readonly source: keyof typeof SOURCES;
  readonly name: N;
  readonly at: number;
  readonly data: EventDataOf[N];
}
export const say = <N extends SourceEventName>(
  source: keyof typeof SOURCES,
  name: N,
  at: number,
  data: EventDataOf[N],
): Said => ({ source, name, at, data }) as Said;

/** A template of databases with the empty ledger of acme, and what `more` puts there: migrations take longer than a copy. */
export const createEmptyLedger = (more: (database: TestDatabase) => Promise<unknown> = async () => undefined) =>
  createTestTemplate(async (database) => {
    await runMigrations({ url: database.url, migrations: MIGRATIONS });
    await database.pool.query('INSERT INTO ledger_head (tenant) VALUES ($1)', [ACME]);
    await more(database);
  });

export interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly body: any;
}

/** Rescind's read API over HTTP, on a database of its own, with a history that was written by the real appender and projections. */
export const startQueryApi = (
  history: readonly (readonly Said[])[],
  { log = testLog(), nameServers = [] }: { readonly log?: Log; readonly nameServers?: readonly string[] } = {},
) => startParts((cleanups) => startApi(cleanups, history, log, nameServers));

async function startApi(
  cleanups: Cleanups,
  history: readonly (readonly Said[])[],
  log: Log,
  nameServers: readonly string[],
) {
  const database = await createMigratedDatabase();
  cleanups.push(() => database.drop());
  await runMigrations({ url: database.url, migrations: MIGRATIONS });
  const controlLog = createControlLog({ pool: database.pool });
  const follower = createControlFollower({ url: database.url, controlLog, log: testLog(), serves: false });
  await controlLog.append({
    records: [...registered(), blockOf({ client: { iss: 'https://auth.crm.example', client_id: 'assistant-at-crm' } })],
  });
  cleanups.push(() => follower.stop());
  await follower.start();
  for (const batch of history) await inTransaction(database.pool, (client) => writeHistory(client, batch));

  const state = () => follower.state;
  const registry = RegistryModule.with({
    registry: createRegistry({ controlLog, follower }),
    identify: createIdentify(createAuthenticator({ state })),
  });
  const reader = createReader(state);
  const { tenantKey, findSource, sources, source } = reader;
  const archiveRoot = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-archive-`));
  const explore = createExplore({
    pool: database.pool,
    log,
    turns: createTurns({ atOnce: 2 }),
    sources: { find: findSource, all: sources },
    nameOfSource: (id) => source(id).name,
    archiveRoot,
    home: archiveRoot,
    now: () => NOW,
  });
  cleanups.push(() => rm(archiveRoot, { recursive: true }));
  cleanups.push(() => explore.stop());
  const questions = createQuestions({
    pool: database.pool,
    control: state,
    now: () => NOW,
    findUses: explore,
    openFindings: createOpenFindings({ reader }),
  });
  const findings = createFindingsParts({ pool: database.pool, controlLog, follower, log, now: () => NOW });
  cleanups.push(() => findings.stopTelling());
  const settings = SettingsModule.with({
    url: database.url,
    tenantKey,
    now: () => NOW,
    entities: CHANNEL_ENTITIES,
  });
  const allowed = parseAllowed(['127.0.0.1', 'localhost'])!;
  const channelSender = createSender({
    egress: createEgress({ allowed, ca: [readFileSync(CERTIFICATE, 'utf8')], nameServers }),
    publicUrl: 'https://rescind.example',
    tenantName: (id) => state().tenant(id)?.name ?? id,
  });
  const channels = ChannelsModule.with({
    send: channelSender,
    tenantKey,
    lastNews: (tenant) => lastNews({ pool: database.pool, tenant }),
    now: Date.now,
  });
  const listen = { host: '127.0.0.1', port: 0, trustedProxy: false };
  const app: NestFastifyApplication = await createHttpApp({
    module: {
      ...QueryModule.with({ questions }),
      imports: [registry, settings, channels, ExploreModule.with({ explore }), FindingsModule.with(findings)],
    },
    listen,
    log,
    bodies: { mediaTypes: ['application/json', CSV_MEDIA_TYPE], limitBytes: 4 * 1024 * 1024 },
  });
  cleanups.push(() => app.close());
  describeApi(app, { version: '0.0.0' });
  const url = await listenHttp(app, listen);

  async function send(
    method: string,
    path: string,
    caller: string | null,
    body?: unknown,
    mediaType = 'application/json',
  ): Promise<Answer> {
    const headers: Record<string, string> = caller === null ? {} : { authorization: `Bearer ${secretOf(caller)}` };
    const content = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
    const response = await fetch(`${url}${path}`, {
      method,
      headers: body === undefined ? headers : { ...headers, 'content-type': mediaType },
      ...content,
    });
    const text = await response.text();
    return {
      status: response.status,
      type: response.headers.get('content-type')?.split(';')[0] ?? null,
      body: text === '' ? undefined : JSON.parse(text),
    };
  }

  return {
    app,
    pool: database.pool,
    explore,
    archiveRoot,
    url,
    /** The registered state: tenants with their keys, sources, the rule. */
    control: state,
    channelSender,
    findings: findings.findings,
    /** Reads what came with every detection. */
    find: (stepEntries?: number, cold?: ColdUses) =>
      followNext({
        pool: database.pool,
        tenants: () => follower.state.tenants(),
        control: reader,
        detections: DETECTIONS,
        now: () => NOW * 1_000,
        cold,
        ...(stepEntries === undefined ? {} : { stepEntries }),
      }),
    say: (batch: readonly Said[]) => inTransaction(database.pool, (client) => writeHistory(client, batch)),
    get: (path: string, caller: string | null = 'acme-audit'): Promise<Answer> => send('GET', path, caller),
    /** A body that is no text goes as JSON. */
    send,
  };
}

/**
 * Writes one batch, as the appender does; what was said before, word for word, is a duplicate. `arrivals` stands in for the clock: epoch
 * milliseconds, asked once for each new entry. Answers with the indexes of what is new.
 */
export async function writeHistory(
  client: Parameters<typeof writeProjections>[0],
  batch: readonly Said[],
  arrivals?: () => number,
): Promise<bigint[]> {
  for (const { name, data } of batch) {
    const problem = validateEventData(name, data);
    if (problem) throw new Error(`${name}${problem.path}: ${problem.message}`);
  }
  const entries = batch.map((said) => {
    const { id: source, tenant, uri } = SOURCES[said.source];
    const time = new Date(said.at * 1000).toISOString();
    const event = {
      specversion: '1.0',
      type: eventType(said.name),
      source: uri,
      id: sha256(canonicalJson(said)),
      time,
      data: said.data,
    };
    const headers = [['content-type', 'application/cloudevents+json']] as const;
    const { type, id: eventId } = event;
    const bytes = Buffer.from(JSON.stringify(event));
    return prepareEntry({
      tenant,
      tenantKey: KEYS[tenant]!,
      type,
      source,
      eventId,
      mode: 'structured',
      headers,
      bytes,
    });
  });
  const placed = await appendEntries(client, entries, contentOf);
  const events = batch.map((said, nth) => ({
    name: said.name,
    data: said.data,
    tenant: SOURCES[said.source].tenant,
    tenantKey: KEYS[SOURCES[said.source].tenant]!,
    ix: placed[nth]!.index,
    seenSeq: 0n,
    arrivalMs: placed[nth]!.arrivalMs!,
    source: SOURCES[said.source].id,
    id: sha256(canonicalJson(said)),
    sourceResources: SOURCES[said.source].resources,
    at: said.at,
    atMs: said.at * 1000,
  }));
  const isNew = events
    .filter((_, nth) => placed[nth]!.outcome === 'sequenced')
    .map((event) => ({ ...event, arrivalMs: arrivals ? arrivals() : event.arrivalMs }));
  if (arrivals)
    for (const { tenant, ix, arrivalMs } of isNew)
      await client.query('UPDATE entry SET arrival = $3 WHERE tenant = $1 AND ix = $2', [tenant, ix, arrivalMs]);
  await writeProjections(client, isNew as unknown as ProjectedEvent[]);
  return isNew.map(({ ix }) => ix);
}

function registered(): NewControlRecord[] {
  const tenants = Object.entries({ acme: ACME, globex: GLOBEX }).map(([name, id]) => ({
    kind: 'tenant.changed' as const,
    tenant: id,
    subject: id,
    body: { id, name, key: KEYS[id]!.toString('base64url') },
  }));
  const sources = Object.entries(SOURCES).map(([name, { id, tenant, uri, resources, types }]) => ({
    kind: 'source.changed' as const,
    tenant,
    subject: id,
    body: {
      id,
      name,
      uri,
      resources,
      topic: `rescind.events.${name}`,
      types,
      issuers: [],
      profile: DEFAULT_TOKEN_PROFILE,
      disabled: false,
    },
  }));
  const callers = Object.entries({ acme: ACME, globex: GLOBEX }).flatMap(([name, tenant]) =>
    Object.entries(ROLES).map(([role, roles]) => {
      const id = `${name}-${role}`;
      const secrets = [{ id: 's1', sha256: sha256(secretOf(id)), created_at: T }];
      return { kind: 'caller.changed' as const, tenant, subject: id, body: { id, roles, secrets, disabled: false } };
    }),
  );
  return [...tenants, ...sources, ...callers];
}

export const RULE = '20000000-0000-4000-8000-000000000001';

function blockOf(selector: Selector): NewControlRecord {
  const { shape, key } = selectorKey(KEYS[ACME]!, selector);
  const body = {
    id: RULE,
    effect: 'block' as const,
    selector,
    shape,
    key: Buffer.from(key, 'latin1').toString('base64url'),
    reauthenticate: false,
    reason: 'compromised',
    author: { caller: 'acme-revoke' },
  };
  return { kind: 'rule.ordered', tenant: ACME, subject: RULE, body };
}

export const tokenId = (key: Parameters<typeof ruleKeyToBytes>[0]): string => ruleKeyToBytes(key).toString('base64url');
export const keyOf = (tenant: string): Buffer => KEYS[tenant]!;
