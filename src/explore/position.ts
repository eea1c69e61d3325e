import { RescindError } from '../contracts/index.js';
import type { Moment } from '../projections/index.js';

/** A place among rows that come newest first, and the moment that they are read as of. */
export interface Position {
  readonly moment: Moment;
  readonly after: { readonly at: bigint; readonly ix: bigint };
}

/** Writes a cursor: `index.at.first_at.ix`. It carries no proof, because it gives no right. */
export const encodePosition = ({ index, at }: Moment, after: Position['after']): string =>
  [index, at, after.at, after.ix].join('.');

const FORM = /^(\d{1,18})\.(\d{1,10})\.(\d{1,10})\.(\d{1,18})$/;

/** Reads a cursor. Throws `invalid-cursor`. */
export function decodePosition(cursor: string): Position {
  const [, index, at, firstAt, ix] = FORM.exec(cursor) ?? [];
  if (index === undefined || index === '0')
    throw new RescindError('invalid-cursor', { detail: 'send `next` of the previous page' });
  return { moment: { index: BigInt(index), at: Number(at) }, after: { at: BigInt(firstAt!), ix: BigInt(ix!) } };
}
