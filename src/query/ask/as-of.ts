import { MOMENT_FORMS, parseTime, readAskedTime, RescindError, timeText } from '../../contracts/index.js';
import type { AskedMoment, Moment } from '../../projections/index.js';
import { invalid, readIndex, type Parameters } from './parameters.js';

export type { AskedMoment, Moment } from '../../projections/index.js';

/** Reads `as_of`: an index of the ledger or a time, in any form of `MOMENT_INPUT`. Undefined means now. Throws `invalid-request`. */
export function readAsOf(parameters: Parameters, name = 'as_of'): AskedMoment | undefined {
  const text = parameters.get(name);
  if (text === undefined) return undefined;
  if (/^[0-9]+$/.test(text)) return { index: readIndex(text) };
  if (parseTime(text) === undefined) throw invalid(`\`${name}\` must be ${MOMENT_FORMS}`);
  return readAskedTime(name, text, 'as-of-out-of-range');
}

/**
 * Writes a moment as a cursor carries it, in front of the position. Later pages are read as of the moment of the first.
 */
export const momentToCursor = ({ index, at }: Moment): readonly [index: string, at: string] => [
  String(index),
  String(at),
];

export function momentFromCursor(position: readonly string[]): Moment {
  const [index, at] = position;
  if (index === undefined || at === undefined) throw new RescindError('invalid-cursor');
  return { index: BigInt(index), at: Number(at) };
}

/** Writes a moment as answers show it. */
export const asOfOf = ({ index, at }: Moment): { readonly index: string; readonly at: string } => ({
  index: String(index),
  at: timeText(at),
});
