import { RescindError } from '../../contracts/index.js';
import { momentFromCursor, readAsOf, type AskedMoment } from '../ask/as-of.js';
import { inconsistent, need, type Parameters } from '../ask/parameters.js';
import type { Snapshot } from '../../projections/index.js';

/** Reads `since`, a moment whose duration counts back from `until`. Throws `invalid-request`. */
export function readSince(parameters: Parameters): AskedMoment {
  need(parameters, 'since');
  return readAsOf(parameters, 'since')!;
}

export const sinceFromCursor = (position: readonly string[]): AskedMoment => momentFromCursor(position);

/** Returns `since` in epoch milliseconds if it is a time or a duration before `nowMs`; else undefined. */
export function timeOfSince(since: AskedMoment, nowMs: number): number | undefined {
  if ('agoMs' in since) return nowMs - since.agoMs;
  return 'atMs' in since ? since.atMs : undefined;
}

const FIRST_ARRIVAL = 'SELECT arrival FROM entry WHERE tenant = $1 AND ix = 0';

function withoutDuration(since: AskedMoment, until: Snapshot): AskedMoment {
  if (!('agoMs' in since)) return since;
  return { atMs: until.at * 1_000 - since.agoMs };
}

/**
 * Finds the moment to begin with. A moment before the first entry becomes index 0: there is nothing to tell before it.
 */
export async function findSince(until: Snapshot, since: AskedMoment): Promise<Snapshot> {
  const moment = withoutDuration(since, until);
  if ('index' in moment && moment.index === 0n)
    return until.asOf({ index: 0n, at: 'at' in moment ? moment.at : await firstArrival(until) });
  try {
    const found = await until.asOf(moment);
    if ('agoMs' in since) return notAfter(found, until);
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
