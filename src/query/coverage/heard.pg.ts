import { loadSql } from '../../platform/postgres/index.js';
import { AHEAD_MS, BLOCK_BITS, PROMPT_MS, type Snapshot } from '../../projections/index.js';
import type { Clock } from './answers.js';

const COUNTS = loadSql(import.meta.url, 'counts.sql');
const COUNTS_NOW = { name: 'source-counts-now', text: loadSql(import.meta.url, 'counts-now.sql') };

const DAY_S = 86_400;
/** Events, all late, that it takes to call a clock wrong. */
const MIN_LATE_EVENTS = 20;

const blockOf = ({ index }: Pick<Snapshot, 'index'>): number => Number(index >> BLOCK_BITS);

/** The events of one type that a source sent. */
export interface HeardType {
  readonly type: string;
  readonly events: number;
  readonly lastIndex: string;
  /** Epoch milliseconds. */
  readonly lastArrival: number;
  /** Milliseconds; null for events that came before delays were kept. */
  readonly lastDelay: number | null;
}

export interface TokenCounts {
  readonly issued: number;
  readonly stated: number;
  readonly arrived: number;
  readonly parent: number;
}

export interface Heard {
  readonly types: readonly HeardType[];
  readonly tokens: TokenCounts;
  readonly clock: Clock | null;
}

/** Count of one kind of what a source said: a type of event, or what its tokens show. */
interface Count {
  readonly source: string;
  readonly what: string;
  readonly n: number;
  readonly lastIx: number;
  /** Epoch milliseconds. */
  readonly lastArrival: number;
  readonly lastDelay: number | null;
  /** Delays of the events that the clock is judged by. */
  readonly delays: Delays;
}

/** Delays in milliseconds. Without events, `least` and `most` are infinite. */
export interface Delays {
  readonly events: number;
  readonly least: number;
  readonly most: number;
  readonly sum: number;
  readonly ahead: number;
  readonly prompt: number;
}

/**
 * Returns the first day that the clock is judged by: yesterday, in UTC. Once corrected, a clock counts as right from
 * the second day after.
 */
const clockDaysOf = ({ at }: Pick<Snapshot, 'at'>): number => Math.floor(at / DAY_S) - 1;

/** Reads what each source said, as of the snapshot. */
export async function readHeard(snapshot: Snapshot, sources: readonly string[]): Promise<(source: string) => Heard> {
  const since = clockDaysOf(snapshot);
  const rows = snapshot.present
    ? await snapshot.rows<CountRow>(COUNTS_NOW, [since, sources])
    : await snapshot.rows<CountRow>(COUNTS, [
        blockOf(snapshot),
        String(snapshot.index),
        since,
        sources,
        AHEAD_MS,
        PROMPT_MS,
      ]);
  return heardOf(rows.map(countOf));
}

function heardOf(counts: readonly Count[]): (source: string) => Heard {
  const bySource = new Map<string, Count[]>();
  for (const count of counts) {
    const there = bySource.get(count.source);
    if (there) there.push(count);
    else bySource.set(count.source, [count]);
  }
  return (source) => heardOfOne(bySource.get(source) ?? []);
}

function heardOfOne(counts: readonly Count[]): Heard {
  // The database's collation may order them otherwise.
  const events = counts.filter(({ what }) => !isToken(what)).sort((one, other) => (one.what < other.what ? -1 : 1));
  const count = (what: string): number => counts.find((one) => one.what === what)?.n ?? 0;
  return {
    types: events.map(({ what, n, lastIx, lastArrival, lastDelay }) => ({
      type: what,
      events: n,
      lastIndex: String(lastIx),
      lastArrival,
      lastDelay,
    })),
    tokens: {
      issued: count('token'),
      stated: count('token.stated'),
      arrived: count('token.arrived'),
      parent: count('token.parent'),
    },
    clock: clockOf(events.map(({ delays }) => delays).reduce(joinDelays, NO_DELAYS)),
  };
}

const isToken = (what: string): boolean =>
  what === 'token' || what === 'token.stated' || what === 'token.arrived' || what === 'token.parent';

const NO_DELAYS: Delays = { events: 0, least: Infinity, most: -Infinity, sum: 0, ahead: 0, prompt: 0 };

const joinDelays = (one: Delays, other: Delays): Delays => ({
  events: one.events + other.events,
  least: Math.min(one.least, other.least),
  most: Math.max(one.most, other.most),
  sum: one.sum + other.sum,
  ahead: one.ahead + other.ahead,
  prompt: one.prompt + other.prompt,
});

function clockOf({ events, least, most, sum, ahead, prompt }: Delays): Clock | null {
  if (events === 0) return null;
  const verdict = ahead > 0 ? 'ahead' : prompt === 0 && events >= MIN_LATE_EVENTS ? 'behind-or-late' : 'right';
  return { verdict, events, delay: { least, mean: Math.round(sum / events), most }, ahead, prompt };
}

interface CountRow {
  readonly [column: string]: unknown;
  readonly source: string;
  readonly what: string;
  readonly n: string;
  readonly last_ix: string;
  readonly last_arrival: string;
  readonly last_delay: string | null;
  readonly timed: string;
  readonly delay_least: string | null;
  readonly delay_most: string | null;
  readonly delay_sum: string | null;
  readonly ahead: string;
  readonly prompt: string;
}

const countOf = (row: CountRow): Count => ({
  source: row.source,
  what: row.what,
  n: Number(row.n),
  lastIx: Number(row.last_ix),
  lastArrival: Number(row.last_arrival),
  lastDelay: row.last_delay === null ? null : Number(row.last_delay),
  delays:
    row.timed === '0'
      ? NO_DELAYS
      : {
          events: Number(row.timed),
          least: Number(row.delay_least),
          most: Number(row.delay_most),
          sum: Number(row.delay_sum),
          ahead: Number(row.ahead),
          prompt: Number(row.prompt),
        },
});
