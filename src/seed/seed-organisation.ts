import { CLOUDEVENTS_MEDIA_TYPE, eventType, RescindError } from '../contracts/index.js';
import {
  createControlFollower,
  createControlLog,
  isRuleEvent,
  type Caller,
  type ControlFollower,
} from '../control/index.js';
import { accept, createAppender, type Appender } from '../ingest/index.js';
import { MIGRATIONS } from '../migrations.js';
import { type Log } from '../platform/log/index.js';
import { createMetrics } from '../platform/observe/index.js';
import { runMigrations } from '../platform/postgres/index.js';
import {
  ADMIN_CALLER,
  bootstrap,
  createRegistry,
  DEFAULT_TENANT,
  type Actor,
  type Registry,
} from '../registry/index.js';
import { makeHistory } from './history.js';
import { describeIncidents, tellIncidents, type DescribedIncident } from './incidents/index.js';
import { createOrganisation, type Organisation } from './organisation.js';
import { registerParties, type RegisteredParties } from './parties.js';
import { createPace, type Pace } from './pace.js';
import { countEntries, outboxEmpty } from './seed-ledger.pg.js';
import type { SeedEvent } from './seed-event.js';
import { openSeededSessions, type SeededSessions } from './seeded-clock.pg.js';

const DAY_S = 86_400;
const HOUR_S = 3_600;
/** Incidents happen in the last week; one more day lies before them. */
export const MIN_DAYS = 9;
export const DEFAULT_DAYS = 90;
export const DEFAULT_SEED = 'rescind';
/** Domain of the organisation of tenant `default`. Any other tenant has the domain `<tenant>.example`. */
const DEFAULT_DOMAIN = 'corp.example';

/** Events of one transaction: as many as the appender takes at a time. */
const BATCH_EVENTS = 2_000;

export interface SeedOptions {
  readonly databaseUrl: string;
  /** Directory of the administrator's key; this first start creates the key if it is missing. */
  readonly home: string;
  readonly log: Log;
  /** Number of events to send, including those that are sent twice. */
  readonly events: number;
  readonly days?: number;
  readonly seed?: string;
  /** Epoch seconds; rounded down to the hour. */
  readonly end?: number;
  readonly tenant?: string;
  readonly onProgress?: (progress: SeedProgress) => void;
}

export interface SeedProgress {
  readonly sent: number;
  readonly events: number;
  /** Arrival of the last event sent, epoch seconds. */
  readonly at: number;
}

export interface Seeded {
  readonly tenant: string;
  readonly organisation: Organisation;
  readonly start: number;
  readonly end: number;
  readonly sent: number;
  readonly duplicates: number;
  /** Entries in the tenant's ledger at the end, including Rescind's own. */
  readonly entries: number;
  /** Administrator's key of a tenant that this run created. It is shown once. */
  readonly adminKey: string | undefined;
  readonly seconds: number;
  /** Seconds spent on each step. */
  readonly pace: Pace;
  readonly incidents: readonly DescribedIncident[];
}

/**
 * Fills an empty ledger with an organisation's history, through the registry and the appender, at the times at which it happened.
 * The same options give the same events in the same order. Throws `already-exists` if the tenant's ledger has any entry.
 */
export async function seedOrganisation(options: SeedOptions): Promise<Seeded> {
  const {
    databaseUrl,
    home,
    log,
    tenant: tenantName = DEFAULT_TENANT,
    seed = DEFAULT_SEED,
    days = DEFAULT_DAYS,
    events,
  } = options;
  if (!(days >= MIN_DAYS)) throw new TypeError(`at least ${MIN_DAYS} days`);
  const startedAt = performance.now();
  const end = Math.floor((options.end ?? Date.now() / 1000) / HOUR_S) * HOUR_S;
  const start = end - days * DAY_S;
  await runMigrations({ url: databaseUrl, migrations: MIGRATIONS });
  const sessions = await openSeededSessions(databaseUrl);
  const controlLog = createControlLog({ pool: sessions.pool });
  const follower = createControlFollower({ url: databaseUrl, controlLog, log, serves: false });
  let appender: Appender | undefined;
  try {
    await sessions.setClock(start);
    await follower.start();
    const known = follower.state.tenantByName(tenantName);
    if (known && (await countEntries(sessions.pool, known.id)) > 0) {
      throw new RescindError('already-exists', {
        detail: `the ledger of the tenant ${tenantName} is not empty: name a new tenant`,
      });
    }
    await bootstrap({ home, controlLog, follower });
    const registry = createRegistry({ controlLog, follower });
    const { actor, adminKey } = await tenantOf(registry, follower, tenantName);
    const organisation = createOrganisation({
      seed,
      domain: tenantName === DEFAULT_TENANT ? DEFAULT_DOMAIN : `${tenantName}.example`,
    });
    const parties = await registerParties(
      registry,
      follower.state,
      actor,
      organisation,
      tenantName === DEFAULT_TENANT ? '' : `${tenantName}-`,
    );
    appender = createAppender({ pool: sessions.pool, controlLog, follower, log, metrics: createMetrics() });
    await appender.start();
    await outboxEmpty(sessions.pool);
    const told = tellIncidents(organisation, end);
    const history = makeHistory({ organisation, seed, events, start, end, told });
    const onProgress = options.onProgress && ((sent: number, at: number) => options.onProgress!({ sent, events, at }));
    const written = await writeHistory({
      history,
      parties,
      sessions,
      follower,
      appender,
      span: spanOf(events, days),
      onProgress,
    });
    await sessions.setClock(end);
    await parties.retire();
    await outboxEmpty(sessions.pool);
    const entries = await countEntries(sessions.pool, actor.tenant);
    const incidents = describeIncidents(organisation, end);
    return {
      tenant: tenantName,
      organisation,
      start,
      end,
      ...written,
      entries,
      adminKey,
      incidents,
      seconds: (performance.now() - startedAt) / 1000,
    };
  } finally {
    await appender?.stop();
    await follower.stop();
    await sessions.stop();
  }
}

async function tenantOf(
  registry: Registry,
  follower: ControlFollower,
  name: string,
): Promise<{ actor: Actor; adminKey: string | undefined }> {
  const first: Actor = { id: ADMIN_CALLER, tenant: follower.state.tenantByName(DEFAULT_TENANT)!.id };
  const known = follower.state.tenantByName(name);
  if (known)
    return {
      actor: { id: name === DEFAULT_TENANT ? ADMIN_CALLER : `${name}-admin`, tenant: known.id },
      adminKey: undefined,
    };
  const { id, admin } = await registry.createTenant(first, { name });
  const actor = { id: admin.id, tenant: id };
  // The first administrator of a new tenant has only the role `admin`; the questions need more.
  await registry.updateCaller(actor, admin.id, { roles: { admin: {}, audit: {}, revoke: { tenant: true } } });
  return { actor, adminKey: admin.secret };
}

const SPAN_S = 600;
const SPAN_EVENTS = 100;

/**
 * Computes the longest time (seconds) between the first and the last arrival of a batch, whose events are all entered at the moment of the
 * last. Ten minutes; up to an hour if few events come. An event of an incident ends its batch.
 */
const spanOf = (events: number, days: number): number =>
  Math.min(HOUR_S, Math.max(SPAN_S, (SPAN_EVENTS * days * DAY_S) / events));

interface Writing {
  readonly history: Iterable<SeedEvent>;
  readonly parties: RegisteredParties;
  readonly sessions: SeededSessions;
  readonly follower: ControlFollower;
  readonly appender: Appender;
  /** Seconds. */
  readonly span: number;
  readonly onProgress: ((sent: number, at: number) => void) | undefined;
}

async function writeHistory({
  history,
  parties,
  sessions,
  follower,
  appender,
  span,
  onProgress,
}: Writing): Promise<Pick<Seeded, 'sent' | 'duplicates' | 'pace'>> {
  const pace = createPace();
  let [sent, duplicates] = [0, 0];
  let writing: Promise<void> = Promise.resolve();
  for (const batch of pace.made(batches(history, span))) {
    const at = batch.at(-1)!.arrives;
    const judged = pace.judging(() =>
      batch.map((event) => {
        const one = judge(event, parties, follower, at);
        appender.prepare(one);
        return one;
      }),
    );
    // The next batch is made and judged while this one is written.
    await pace.waiting(writing);
    writing = pace.writing(async () => {
      await sessions.setClock(at);
      const outcomes = await appender.submit({ events: judged });
      const refused = outcomes.find((outcome) => outcome.state === 'rejected');
      if (refused?.state === 'rejected')
        throw new RescindError('internal', { detail: `an event was refused: ${refused.code} ${refused.detail}` });
      if (batch.some(({ name }) => isRuleEvent(name))) await outboxEmpty(sessions.pool);
      sent += batch.length;
      duplicates += outcomes.filter(({ state }) => state === 'duplicate').length;
      onProgress?.(sent, at);
    });
    // The failure surfaces when the next turn awaits `writing`.
    writing.catch(() => undefined);
  }
  await writing;
  return { sent, duplicates, pace: pace.soFar() };
}

function* batches(history: Iterable<SeedEvent>, span: number): Generator<SeedEvent[], void> {
  let batch: SeedEvent[] = [];
  for (const event of history) {
    if (batch.length === BATCH_EVENTS || (batch.length > 0 && event.arrives - batch[0]!.arrives > span)) {
      yield batch;
      batch = [];
    }
    batch.push(event);
    if (event.prompt) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

const CONTENT_TYPE = [['content-type', Buffer.from(CLOUDEVENTS_MEDIA_TYPE)]] as const;

function judge(
  { party, name, id, at, data }: SeedEvent,
  { uris, caller }: { uris: ReadonlyMap<string, string>; caller: Caller },
  { state }: ControlFollower,
  nowS: number,
) {
  const event = {
    specversion: '1.0',
    type: eventType(name),
    source: uris.get(party)!,
    id,
    time: new Date(at * 1000).toISOString(),
    data,
  };
  return accept(
    {
      mode: 'structured',
      headers: CONTENT_TYPE,
      bytes: Buffer.from(JSON.stringify(event)),
      door: { kind: 'http', caller },
    },
    state,
    nowS * 1000,
  );
}
