import { byteaArray } from '../../platform/postgres/index.js';
import { LEAD_OF_ALL, rulesAsOf, type RuleVersion, type Snapshot } from '../../projections/index.js';
import {
  createRuleIndex,
  ruleKeyFromBytes,
  ruleKeyToBytes,
  selectorKey,
  type RuleIndex,
  type TokenKeys,
} from '../../rules/index.js';

/**
 * Finds, for each token, the ids of the rules that stop it according to the entries below the snapshot's index; sorted,
 * at most `MAX_RULES_NAMED`.
 */
export async function findStoppingAsOf(
  snapshot: Snapshot,
  tenantKey: Uint8Array,
  tokens: readonly (TokenKeys | undefined)[],
): Promise<readonly (readonly string[])[]> {
  const leads = new Set([OF_ALL, ...tokens.flatMap((keys) => keys?.sets.flat() ?? [])]);
  // Looks rules up by the first key of their selector only: a token that a rule stops has that key too.
  const rules = await rulesAsOf(snapshot.rows, snapshot, { leads: byteaArray([...leads].map(ruleKeyToBytes)) });
  const index = indexOf(tenantKey, rules);
  return tokens.map((keys) => (keys === undefined ? [] : index.findAllStopping(keys, snapshot.at).toSorted()));
}

const OF_ALL = ruleKeyFromBytes(LEAD_OF_ALL);

/** Builds an index of rules as the ledger tells them. */
export function indexOf(
  tenantKey: Uint8Array,
  rules: readonly Pick<RuleVersion, 'rule' | 'selector' | 'terms'>[],
): RuleIndex {
  const index = createRuleIndex();
  for (const { rule, selector, terms } of rules)
    index.add({ ...terms, id: rule, seq: BigInt(terms.seq), selector: selectorKey(tenantKey, selector) });
  return index;
}
