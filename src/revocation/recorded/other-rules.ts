import { MAX_SELECTOR_MEMBERS } from '../../contracts/index.js';
import {
  ruleKey,
  selectorParts,
  DIMENSIONS,
  type Dimension,
  type Rule,
  type RuleIndex,
  type Selector,
  type SelectorKey,
} from '../../rules/index.js';

/** Extent to which a rule stops a selection. `all`: everything that the selection names; `part`: some of it. */
export type Stops = 'all' | 'part';

/** A member of a selector, and its key. */
export type Member = readonly [Dimension, string];

/** A rule's present effect. A block past its end acts as a `revoke` as of its end. */
export interface Acting {
  readonly effect: 'block' | 'revoke';
  /** Epoch seconds: a `revoke` stops grants up to this time. */
  readonly before?: number;
  readonly until?: number;
}

/** Returns how the rule acts at `now`. Undefined if it no longer stops anything. */
export function actingOf(rule: Rule, now: number): Acting | undefined {
  if (rule.effect === 'revoke')
    return rule.byIdentity ? { effect: 'revoke' } : { effect: 'revoke', before: rule.before };
  if (rule.until === undefined) return { effect: 'block' };
  if (now < rule.until) return { effect: 'block', until: rule.until };
  if (rule.resume === true) return undefined;
  return rule.byIdentity ? { effect: 'revoke' } : { effect: 'revoke', before: rule.until };
}

export const membersOf = (tenantKey: Uint8Array, selector: Selector): readonly Member[] =>
  selectorParts(selector).map(([dimension, parts]) => [dimension, ruleKey(tenantKey, dimension, parts)]);

/**
 * Returns the issuers in the lineage of everything that the selector names: a rule on one of them stops all of it. A token's issuer is left
 * out, because a token that is named only as a parent brings only its own key along.
 */
export function issuersBehind(selector: Selector): readonly string[] {
  const { token: _, ...members } = selector;
  const named = Object.values(members).flatMap((one) => (typeof one === 'object' && 'iss' in one ? [one.iss] : []));
  return [...new Set(named)];
}

/** Finds the rules whose selector is the same or wider, so that each stops everything that `selector` names. Returns them by id. */
export function findWider(tenantKey: Uint8Array, rules: RuleIndex, selector: Selector): ReadonlyMap<string, Rule> {
  const own = membersOf(tenantKey, selector);
  const issuers = issuersBehind(selector).filter((issuer) => issuer !== selector.issuer);
  const members = [...own, ...issuers.map((issuer): Member => ['issuer', ruleKey(tenantKey, 'issuer', [issuer])])];
  const found = new Map<string, Rule>();
  for (const some of subsetsOf(members)) for (const rule of rules.under(keyOf(some))) found.set(rule.id, rule);
  return found;
}

/** Returns every choice of members, at most as many as a selector has, one for each dimension. */
function subsetsOf(members: readonly Member[]): readonly (readonly Member[])[] {
  let subsets: (readonly Member[])[] = [[]];
  for (const member of members) {
    const longer = subsets.filter(
      (some) => some.length < MAX_SELECTOR_MEMBERS && some.every(([dimension]) => dimension !== member[0]),
    );
    subsets = [...subsets, ...longer.map((some) => [...some, member])];
  }
  return subsets;
}

function keyOf(members: readonly Member[]): SelectorKey {
  const inOrder = [...members].sort(([a], [b]) => DIMENSIONS.indexOf(a) - DIMENSIONS.indexOf(b));
  return {
    shape: inOrder.reduce((bits, [dimension]) => bits | (1 << DIMENSIONS.indexOf(dimension)), 0),
    key: inOrder.map(([, key]) => key).join(''),
  };
}
