import { loadSql } from '../../platform/postgres/index.js';
import type { Detection, Evidence, Step } from '../detection.js';
import { prepared } from '../fresh.js';

const SQL = prepared('use-after-silence', loadSql(import.meta.url, 'use-after-silence.sql'));
const KIND = 'use-after-silence';
const DAY_S = 86_400;
const SILENT_DAYS = 6;
/** Waking is usual if so many others woke in so many days. */
const USUAL = 6;
const USUAL_DAYS = 14;
const RECORDS = 500;

export const useAfterSilence: Detection = {
  kind: KIND,
  severity: 'medium',
  means: 'Something that nobody used for days is in use again: forgotten access is what thieves look for.',
  next: 'Ask the owner of the client. Take the access back if nobody needs it.',
  looks: `Uses of a day of a client at a resource after ${SILENT_DAYS} days without any, or so long after an approval that was never used, if fewer than ${USUAL} others woke so in ${USUAL_DAYS} days; with ${RECORDS} records in the first call, however many woke.`,
  stop: [['client', 'resource']],
  see: 'access',
  says: ({ client, resource, user, details }) =>
    details['never_used'] === true
      ? `${client} was approved for ${resource} ${String(details['days'])} days before its first use, for ${user}.`
      : `${client} used ${resource} for ${user} after ${String(details['days'])} days of silence.`,
  find: findWoken,
};

interface Row extends Record<string, unknown> {
  readonly client: number;
  readonly res: number;
  readonly usr: number;
  readonly agent: number | null;
  readonly ix: string;
  readonly at: string;
  readonly until_at: string;
  readonly n: string;
  readonly records: string;
  readonly since: string | null;
  readonly never: boolean;
  readonly woke: boolean;
}

/** A client and resource that woke and of which a finding tells, with the time of the first use. */
interface Woken {
  readonly client: number;
  readonly res: number;
  readonly from: number;
}

const WOKEN = 'woken';
/** The times at which the last ones woke, epoch seconds. */
type Times = readonly number[];

async function findWoken({ snapshot, from, to, nowMs, memory }: Step): Promise<readonly Evidence[]> {
  const kept = new Map(await memory.read<Woken | Times>(KIND));
  let times = (kept.get(WOKEN) ?? []) as Times;
  kept.delete(WOKEN);
  const awake = kept as Map<string, Woken>;
  const pairs = [...awake.values()];
  const rows = await snapshot.rows<Row>(SQL, [
    String(from),
    String(to),
    SILENT_DAYS * DAY_S,
    pairs.map(({ client }) => client),
    pairs.map(({ res }) => res),
  ]);
  const found: Evidence[] = [];
  for (const row of rows) {
    const key = `${row.client} ${row.res}`;
    const at = Number(row.at);
    if (row.woke) {
      const isUsual = times.filter((time) => time > at - USUAL_DAYS * DAY_S).length >= USUAL;
      times = [...times, at].slice(-USUAL);
      memory.keep(KIND, WOKEN, times);
      if (isUsual && Number(row.records) < RECORDS * Number(row.n)) continue;
      awake.set(key, { client: row.client, res: row.res, from: at });
      memory.keep(KIND, key, awake.get(key)!);
    }
    const woken = awake.get(key);
    if (woken !== undefined && at >= woken.from && at < woken.from + DAY_S) found.push(evidenceOf(row, woken));
  }
  for (const [key, { from: wokeAt }] of awake) if (nowMs / 1_000 > wokeAt + 2 * DAY_S) memory.keep(KIND, key, null);
  return found;
}

const evidenceOf = (row: Row, { from }: Woken): Evidence => ({
  subject: `${row.client} ${row.res} ${from}`,
  usr: row.usr,
  client: row.client,
  agent: row.agent,
  res: row.res,
  count: row.n,
  first_at: row.at,
  last_at: row.until_at,
  entries: [row.ix],
  details: row.woke ? { days: Math.floor((Number(row.at) - Number(row.since)) / DAY_S), never_used: row.never } : {},
});
