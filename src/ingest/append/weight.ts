import type { Judged } from './submission.js';

/** Rights, each a scope at a resource, that take as much work to write as an ordinary event. */
const RIGHTS_A_UNIT = 20;

/**
 * Returns the work of writing an event, where an ordinary event is 1. The rows of a grant's event grow with its scopes times its resources,
 * up to 800, so a batch bounded by its number of events alone could hold hundreds of thousands of rows.
 */
export function weightOf(judged: Judged): number {
  if (!judged.accepted) return 1;
  const { scope, resource, aud } = judged.event.data as {
    scope?: string;
    resource?: readonly string[];
    aud?: readonly string[];
  };
  if (scope === undefined) return 1;
  const resources = resource?.length || aud?.length || 1;
  return 1 + Math.floor((scope.split(' ').length * resources) / RIGHTS_A_UNIT);
}

/** Cuts events into portions of at most this weight, in order. An event that weighs more is a portion of its own. */
export function portionsOf(events: readonly Judged[], maxWeight: number): Judged[][] {
  const portions: Judged[][] = [];
  let weight = Infinity;
  for (const judged of events) {
    const own = weightOf(judged);
    if (weight + own > maxWeight) {
      portions.push([]);
      weight = 0;
    }
    portions.at(-1)!.push(judged);
    weight += own;
  }
  return portions;
}
