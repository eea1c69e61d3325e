import { MAX_TIME_SECONDS, MIN_TIME_SECONDS, RescindError } from '../../contracts/index.js';
import type { AskedMoment, Moment } from '../../projections/index.js';
import { INDEX, invalid, readIndex, type Parameters } from './parameters.js';

export type { AskedMoment, Moment } from '../../projections/index.js';

/** Every day has 31 here: a schema cannot tell months apart, and `Date.parse` goes on into the next one. */
const RFC3339 =
  /^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,3})?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])$/;
export const MOMENTS = [
  INDEX,
  { type: 'string', pattern: RFC3339.source, examples: ['2026-11-20T09:00:00Z'] },
] as const;
export const MOMENT = { anyOf: MOMENTS } as const;

/** Reads `as_of`: a decimal index of the ledger or an RFC 3339 time. Undefined means now. Throws `invalid-request`. */
export function readAsOf(parameters: Parameters, name = 'as_of'): AskedMoment | undefined {
  const text = parameters.get(name);
  if (text === undefined) return undefined;
  if (/^[0-9]+$/.test(text)) return { index: readIndex(text) };
  if (!RFC3339.test(text))
    throw invalid(`\`${name}\` is an index of the ledger (\`1234\`) or a time (\`2026-11-20T09:00:00Z\`)`);
  const atMs = Date.parse(text);
  if (atMs < MIN_TIME_SECONDS * 1000 || atMs > MAX_TIME_SECONDS * 1000)
    throw new RescindError('as-of-out-of-range', { detail: `\`${name}\` lies outside the years 2000 to 2100` });
  return { atMs };
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
export const asOfOf = ({ index, at }: Moment): { readonly index: string; readonly at: number } => ({
  index: String(index),
  at,
});
