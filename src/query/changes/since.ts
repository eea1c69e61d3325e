import { RescindError } from '../../contracts/index.js';
import { momentFromCursor, MOMENTS, readAsOf, type AskedMoment } from '../ask/as-of.js';
import { inconsistent, invalid, need, type Parameters } from '../ask/parameters.js';
import type { Snapshot } from '../../projections/index.js';

const DURATION = /^([1-9][0-9]{0,4})([mhd])$/;
export const SINCE = { anyOf: [...MOMENTS, { type: 'string', pattern: DURATION.source, examples: ['24h'] }] } as const;
const SECONDS = { m: 60, h: 3_600, d: 86_400 } as const;

/** The moment to begin with, or the number of seconds before `until`. */
export type Since = { readonly moment: AskedMoment } | { readonly before: number };

/** Reads `since`: an index, a time, or a duration (`24h`, `7d`, `30m`). Throws `invalid-request`. */
export function readSince(parameters: Parameters): Since {
  const duration = DURATION.exec(need(parameters, 'since'));
  if (duration) return { before: Number(duration[1]) * SECONDS[duration[2] as keyof typeof SECONDS] };
  try {
    return { moment: readAsOf(parameters, 'since')! };
  } catch (error) {
    if (error instanceof RescindError && error.code === 'as-of-out-of-range') throw error;
    throw invalid(
      '`since` is an index of the ledger (`1234`), a time (`2026-11-20T09:00:00Z`) or a duration (`24h`, `7d`)',
    );
  }
}

export const sinceFromCursor = (position: readonly string[]): Since => ({ moment: momentFromCursor(position) });

/** Returns `since` in epoch milliseconds if it is a time or a duration before `nowMs`; else undefined. */
export function timeOfSince(since: Since, nowMs: number): number | undefined {
  if ('before' in since) return nowMs - since.before * 1_000;
  return 'atMs' in since.moment ? since.moment.atMs : undefined;
}

const FIRST_ARRIVAL = 'SELECT arrival FROM entry WHERE tenant = $1 AND ix = 0';

/**
 * Finds the moment to begin with. A moment before the first entry becomes index 0: there is nothing to tell before it.
 */
export async function findSince(until: Snapshot, since: Since): Promise<Snapshot> {
  const moment = 'before' in since ? { atMs: (until.at - since.before) * 1_000 } : since.moment;
  if ('index' in moment && moment.index === 0n)
    return until.asOf({ index: 0n, at: 'at' in moment ? moment.at : await firstArrival(until) });
  try {
    const found = await until.asOf(moment);
    if ('before' in since) return notAfter(found, until);
    if (found.index > until.index) throw inconsistent('`since` lies after `until`');
    return found;
  } catch (error) {
    if (!(error instanceof RescindError) || error.code !== 'as-of-out-of-range') throw error;
    if (!('atMs' in moment))
      throw new RescindError('as-of-out-of-range', { detail: '`since` lies beyond the ledger', cause: error });
    const at = Math.floor(moment.atMs / 1_000);
    if (at > until.at)
      throw new RescindError('as-of-out-of-range', { detail: '`since` lies in the future', cause: error });
    return until.asOf({ index: 0n, at });
  }
}

async function firstArrival(until: Snapshot): Promise<number> {
  const [first] = await until.rows<{ arrival: string }>(FIRST_ARRIVAL);
  return first ? Math.floor(Number(first.arrival) / 1_000) : until.at;
}

/**
 * Limits `since` to the index of `until`. It can lie above if `until` is a time and entries arrived later within the
 * same second.
 */
const notAfter = (since: Snapshot, until: Snapshot): Promise<Snapshot> | Snapshot =>
  since.index <= until.index ? since : until.asOf({ index: until.index, at: since.at });
