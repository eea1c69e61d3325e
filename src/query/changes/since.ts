import { RescindError } from '../../contracts/index.js';
import { momentFromCursor, readAsOf, type AskedMoment } from '../as-of.js';
import { invalid, need, type Parameters } from '../parameters.js';
import type { Snapshot } from '../snapshot.pg.js';

const DURATION = /^([1-9][0-9]{0,4})([mhd])$/;
const SECONDS = { m: 60, h: 3_600, d: 86_400 } as const;

/** A moment, or so many seconds before `until`. */
export type Since = { readonly moment: AskedMoment } | { readonly before: number };

/** `since`: an index, a time, or a duration: `24h`, `7d`, `30m`. Throws `invalid-request`. */
export function readSince(parameters: Parameters): Since {
  const duration = DURATION.exec(need(parameters, 'since'));
  if (duration) return { before: Number(duration[1]) * SECONDS[duration[2] as keyof typeof SECONDS] };
  try {
    return { moment: readAsOf(parameters, 'since')! };
  } catch {
    throw invalid('`since` is an index of the ledger (`1234`), a time (`2026-11-20T09:00:00Z`) or a duration (`24h`, `7d`)');
  }
}

export const sinceFromCursor = (position: readonly string[]): Since => ({ moment: momentFromCursor(position) });

/** Where it is a time, epoch milliseconds; `nowMs` is what a duration goes back from. */
export function timeOfSince(since: Since, nowMs: number): number | undefined {
  if ('before' in since) return nowMs - since.before * 1_000;
  return 'atMs' in since.moment ? since.moment.atMs : undefined;
}

/** A duration that reaches beyond the first entry is answered from the first entry on: the time before it has nothing to tell. */
export async function findSince(until: Snapshot, since: Since): Promise<Snapshot> {
  if ('before' in since) {
    const at = until.at - since.before;
    try {
      return notAfter(await until.asOf({ atMs: at * 1_000 }), until);
    } catch (error) {
      if (error instanceof RescindError && error.code === 'as-of-out-of-range') return until.asOf({ index: 0n, at });
      throw error;
    }
  }
  const found = await until.asOf(since.moment);
  if (found.index > until.index) throw invalid('`since` lies after `until`');
  return found;
}

/** Of a time `until` that is older than entries that arrived in its very second. */
const notAfter = (since: Snapshot, until: Snapshot): Promise<Snapshot> | Snapshot => (since.index <= until.index ? since : until.asOf({ index: until.index, at: since.at }));
