import { DIMENSION_NAMES, dimensionOf, MEASURE_NAMES, measureOf } from './vocabulary.js';

const OF_PAYLOADS: readonly unknown[] = [
  ...DIMENSION_NAMES.filter((name) => dimensionOf(name).ofPayloads),
  ...MEASURE_NAMES.filter((name) => measureOf(name).ofPayloads),
];
const wordsOf = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? value : typeof value === 'object' && value !== null ? Object.keys(value) : [];

/**
 * Says what a question asks for that only callers that may see payloads get: a group, filter or measure of addresses, or a file. Undefined:
 * nothing. The body need not be valid: what it orders by, and the measures it bounds, must be among the others, or it is refused later.
 */
export function asksForPayloads(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const { by, measures, filter, format } = body as Readonly<Record<string, unknown>>;
  const asked = [by, measures, filter].flatMap(wordsOf).find((word) => OF_PAYLOADS.includes(word));
  if (asked !== undefined) return `\`${String(asked)}\``;
  return format === undefined || format === 'json' ? undefined : 'exports';
}
