import { loadSql } from '../../platform/index.js';
import { AHEAD_MS, PROMPT_MS } from '../../projections/index.js';
import type { Snapshot } from '../snapshot.pg.js';
import type { Clock } from './answers.js';

const COUNTS = loadSql(import.meta.url, 'counts.sql');
const COUNTS_NOW = { name: 'source-counts-now', text: loadSql(import.meta.url, 'counts-now.sql') };

const DAY_S = 86_400;
/** An open block that no ledger reaches: every block is counted whole. */
const NO_OPEN_BLOCK = 2 ** 31 - 1;
/** A clock is called wrong by no fewer events that all came late. */
const MIN_LATE_EVENTS = 20;

export const openBlockOf = ({ index, present }: Pick<Snapshot, 'index' | 'present'>): number => (present ? NO_OPEN_BLOCK : Number(index >> 16n));

/** Of one type of event. */
export interface HeardType {
  readonly type: string;
  readonly events: number;
  readonly lastIndex: string;
  /** Epoch milliseconds. */
  readonly lastArrival: number;
  /** Milliseconds; null of events that came before delays were kept. */
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

/** What each of the sources was heard to say, as of the snapshot. */
export async function readHeard(snapshot: Snapshot, sources: readonly string[]): Promise<(source: string) => Heard> {
  // Today and the day before, in UTC: a clock that was put right is right again the day after.
  const since = Math.floor(snapshot.at / DAY_S) - 1;
  const rows = snapshot.present
    ? await snapshot.rows<CountRow>(COUNTS_NOW, [since, sources])
    : await snapshot.rows<CountRow>(COUNTS, [openBlockOf(snapshot), String(snapshot.index), since, sources, AHEAD_MS, PROMPT_MS]);
  return (id) => heardOf(rows.filter(({ source }) => source === id));
}

function heardOf(rows: readonly CountRow[]): Heard {
  const events = rows.filter(({ what }) => !isToken(what));
  const count = (what: string): number => Number(rows.find((row) => row.what === what)?.n ?? 0);
  return {
    types: events.map((row) => ({
      type: row.what,
      events: Number(row.n),
      lastIndex: row.last_ix,
      lastArrival: Number(row.last_arrival),
      lastDelay: row.last_delay === null ? null : Number(row.last_delay),
    })),
    tokens: { issued: count('token'), stated: count('token.stated'), arrived: count('token.arrived'), parent: count('token.parent') },
    clock: clockOf(events.filter(({ timed }) => timed !== '0')),
  };
}

const isToken = (what: string): boolean => what === 'token' || what === 'token.stated' || what === 'token.arrived' || what === 'token.parent';

function clockOf(rows: readonly CountRow[]): Clock | null {
  if (rows.length === 0) return null;
  const sum = (of: (row: CountRow) => string | null): number => rows.reduce((total, row) => total + Number(of(row)), 0);
  const events = sum((row) => row.timed);
  const least = Math.min(...rows.map((row) => Number(row.delay_least)));
  const ahead = sum((row) => row.ahead);
  const prompt = sum((row) => row.prompt);
  const verdict = ahead > 0 ? 'ahead' : prompt === 0 && events >= MIN_LATE_EVENTS ? 'behind-or-late' : 'right';
  const most = Math.max(...rows.map((row) => Number(row.delay_most)));
  return { verdict, events, delay: { least, mean: Math.round(sum((row) => row.delay_sum) / events), most }, ahead, prompt };
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
