import { type Log } from '../platform/log/index.js';
import { DEFAULT_TENANT } from '../registry/index.js';
import { makeHistory } from './history.js';
import { describeIncidents, tellIncidents, type DescribedIncident } from './incidents/index.js';
import { createOrganisation, type Organisation } from './organisation.js';
import { registerParties } from './parties.js';
import { type Pace } from './past/pace.js';
import { openPast } from './past/past.js';

const DAY_S = 86_400;
const HOUR_S = 3_600;
/** Incidents happen in the last week; one more day lies before them. */
export const MIN_DAYS = 9;
export const DEFAULT_DAYS = 90;
export const DEFAULT_SEED = 'rescind';
/** Domain of the organisation of tenant `default`. Any other tenant has the domain `<tenant>.example`. */
const DEFAULT_DOMAIN = 'corp.example';

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
  const past = await openPast({ databaseUrl, home, log, start, tenant: tenantName });
  try {
    const organisation = createOrganisation({
      seed,
      domain: tenantName === DEFAULT_TENANT ? DEFAULT_DOMAIN : `${tenantName}.example`,
    });
    const parties = await registerParties(
      past.registry,
      past.follower.state,
      past.actor,
      organisation,
      tenantName === DEFAULT_TENANT ? '' : `${tenantName}-`,
    );
    await past.settle();
    const told = tellIncidents(organisation, end);
    const history = makeHistory({ organisation, seed, events, start, end, told });
    const onProgress = options.onProgress && ((sent: number, at: number) => options.onProgress!({ sent, events, at }));
    const written = await past.write({ events: history, parties, span: spanOf(events, days), onProgress });
    await past.setClock(end);
    await parties.retire();
    await past.settle();
    return {
      tenant: tenantName,
      organisation,
      start,
      end,
      ...written,
      entries: await past.countEntries(),
      adminKey: past.adminKey,
      incidents: describeIncidents(organisation, end),
      seconds: (performance.now() - startedAt) / 1000,
    };
  } finally {
    await past.stop();
  }
}

const SPAN_S = 600;
const SPAN_EVENTS = 100;

/**
 * Computes the longest time (seconds) between the first and the last arrival of a batch, whose events are all entered at the moment of the
 * last. Ten minutes; up to an hour if few events come. An event of an incident ends its batch.
 */
const spanOf = (events: number, days: number): number =>
  Math.min(HOUR_S, Math.max(SPAN_S, (SPAN_EVENTS * days * DAY_S) / events));
