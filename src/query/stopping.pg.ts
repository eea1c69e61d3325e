import { byteaArray } from '../platform/index.js';
import { LEAD_OF_ALL, rulesAsOf, type RuleVersion } from '../projections/index.js';
import { createRuleIndex, ruleKeyToBytes, selectorKey, type RuleIndex, type TokenKeys } from '../rules/index.js';
import type { Snapshot } from './snapshot.pg.js';

/** Of each token the ids of the rules that stop it, as the entries below the snapshot's index tell them; sorted, at most `MAX_RULES_NAMED`. */
export async function findStoppingAsOf(
  snapshot: Snapshot,
  tenantKey: Uint8Array,
  tokens: readonly (TokenKeys | undefined)[],
): Promise<readonly (readonly string[])[]> {
  const leads = new Set(tokens.flatMap((keys) => keys?.sets.flat() ?? []));
  // A rule is looked for by the first of its selector's keys alone: a token that it stops has that key too.
  const rules = await rulesAsOf(snapshot.rows, snapshot, { leads: byteaArray([LEAD_OF_ALL, ...[...leads].map(ruleKeyToBytes)]) });
  const index = indexOf(tenantKey, rules);
  return tokens.map((keys) => (keys === undefined ? [] : index.findAllStopping(keys, snapshot.at).toSorted()));
}

function indexOf(tenantKey: Uint8Array, rules: readonly RuleVersion[]): RuleIndex {
  const index = createRuleIndex();
  for (const { rule, selector, terms } of rules) index.put({ ...terms, id: rule, seq: BigInt(terms.seq), selector: selectorKey(tenantKey, selector) });
  return index;
}
