import type { Answer } from '../../api/client.js';
import type { Difference } from '../../api/changes.js';

type Grant = Answer<'GrantItem'>;

/** One grant that differs between two moments. */
export interface GrantDifference {
  readonly key: string;
  readonly difference: Difference;
  /** As it was at the later moment, or at the earlier one if it is gone. */
  readonly grant: Grant;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Scopes that were used first between the two moments. */
  readonly usedFirst: readonly string[];
  readonly hasOtherAgent: boolean;
}

/** Grants of a moment in the order of the API. */
interface Listed {
  readonly items: readonly Grant[];
  readonly hasMore?: boolean;
}

const idsOf = ({ user, client, resource }: Grant) => [user.entity, client.entity, resource.entity] as const;
const keyOf = (grant: Grant): string => idsOf(grant).join(' ');

/** Compares in the order in which the API lists grants. */
function inOrder(one: Grant, other: Grant): number {
  const others = idsOf(other);
  const differing = idsOf(one).findIndex((id, nth) => id !== others[nth]);
  return differing < 0 ? 0 : idsOf(one)[differing]! - others[differing]!;
}

/** Compares the grants of two moments, as far as both are listed. */
export function compareGrants(before: Listed, after: Listed): readonly GrantDifference[] {
  const ends = [before, after].flatMap(({ items, hasMore = false }) => (hasMore ? items.slice(-1) : []));
  const isCompared = (grant: Grant): boolean => ends.every((end) => inOrder(grant, end) <= 0);
  const earlier = new Map(before.items.filter(isCompared).map((grant) => [keyOf(grant), grant]));
  const later = new Map(after.items.filter(isCompared).map((grant) => [keyOf(grant), grant]));
  return [
    ...[...later].flatMap(([key, grant]) => differenceOf(key, earlier.get(key), grant) ?? []),
    ...[...earlier].filter(([key]) => !later.has(key)).map(([key, grant]) => whole(key, 'gone', grant)),
  ];
}

function differenceOf(key: string, before: Grant | undefined, grant: Grant): GrantDifference | undefined {
  if (before === undefined) return whole(key, 'new', grant);
  const without = (some: readonly string[], others: readonly string[]): string[] =>
    some.filter((scope) => !others.includes(scope));
  const changed = {
    added: without(grant.granted_scopes, before.granted_scopes),
    removed: without(before.granted_scopes, grant.granted_scopes),
    usedFirst: without(grant.used_scopes, before.used_scopes),
    hasOtherAgent: grant.agent?.entity !== before.agent?.entity,
  };
  const { added, removed, usedFirst, hasOtherAgent } = changed;
  if (added.length + removed.length + usedFirst.length === 0 && !hasOtherAgent) return undefined;
  return { key, difference: 'grown', grant, ...changed };
}

const whole = (key: string, difference: Difference, grant: Grant): GrantDifference => ({
  key,
  difference,
  grant,
  added: grant.granted_scopes,
  removed: [],
  usedFirst: [],
  hasOtherAgent: false,
});
