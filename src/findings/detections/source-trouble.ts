import { loadSql } from '../../platform/postgres/index.js';
import type { Detection, Evidence, Step } from '../detection.js';
import { prepared } from '../fresh.js';
import { hear, troublesAt, type Bounds, type Coming, type Heard, type Trouble } from './sources/heard.js';

const SQL = prepared('source-trouble', loadSql(import.meta.url, 'source-trouble.sql'));
const HOUR_MS = 3_600_000;
const BEHIND_MS = 30 * 60_000;
const BOUNDS: Bounds = {
  silentMs: 6 * HOUR_MS,
  silentTimes: 4,
  daysKnown: 4,
  lateEvents: 8,
  lateShare: 0.3,
  lateDays: 2,
  missingMs: 10 * 60_000,
};

export const sourceTrouble: Detection = {
  kind: 'source-trouble',
  severity: 'medium',
  means: 'Rescind does not hear all that a source has to say, so answers about it are incomplete.',
  next: 'Check the source: `rescind source check`.',
  looks: `Numbers that have not come ${BOUNDS.missingMs / 60_000} minutes after a higher one; silence of over ${BOUNDS.silentMs / HOUR_MS} hours in which the others said ${BOUNDS.silentTimes} times as much as in the second longest pause of 21 days, an hour in which ${BOUNDS.lateEvents} events and ${BOUNDS.lateShare * 100} % came over ${BEHIND_MS / 60_000} minutes after their time, unless ${BOUNDS.lateDays} of the 21 days before had such an hour; both after ${BOUNDS.daysKnown} days of a source.`,
  stop: [],
  see: 'coverage',
  says: ({ source, count, details }) =>
    details['how'] === 'gaps'
      ? `${count} events of ${source} are missing.`
      : details['how'] === 'silent'
        ? `${source} has been silent for ${String(details['hours'])} hours.`
        : `${count} events of ${source} came over ${BEHIND_MS / 60_000} minutes late.`,
  find: findTroubles,
  isCondition: true,
};

interface Row extends Record<string, unknown> {
  readonly source: string;
  readonly arrival: string;
  readonly first_ix: string;
  readonly last_ix: string;
  readonly events: number;
  readonly late: string;
  readonly numbers: readonly (readonly [string, string])[];
}

async function findTroubles({ snapshot, from, to, nowMs, memory }: Step): Promise<readonly Evidence[]> {
  const heard = new Map(await memory.read<Heard>('source-trouble'));
  const found: Evidence[] = [];
  for (const row of await snapshot.rows<Row>(SQL, [String(from), String(to), BEHIND_MS])) {
    const [known, over] = hear(heard.get(row.source), comingOf(row), BOUNDS);
    heard.set(row.source, known);
    memory.keep('source-trouble', row.source, known);
    found.push(...over.map((trouble) => ({ ...evidenceOf(row.source, trouble), ended: true })));
  }
  for (const [source, known] of heard)
    found.push(...troublesAt(known, nowMs, Number(to), BOUNDS).map((trouble) => evidenceOf(source, trouble)));
  return found;
}

const comingOf = ({ arrival, first_ix, last_ix, events, late, numbers }: Row): Coming => ({
  arrival: Number(arrival),
  firstIx: Number(first_ix),
  lastIx: Number(last_ix),
  events,
  late: Number(late),
  numbers: numbers.map(([first, end]) => [Number(first), Number(end)]),
});

const evidenceOf = (source: string, { how, ix, since, until, count }: Trouble): Evidence => ({
  subject: how === 'gaps' ? `gaps ${source}` : `${how} ${source} ${ix}`,
  source,
  count,
  first_at: Math.floor(since / 1_000),
  last_at: Math.floor(until / 1_000),
  entries: [ix],
  details: { how, ...(how === 'silent' ? { hours: Math.floor((until - since) / HOUR_MS) } : {}) },
});
