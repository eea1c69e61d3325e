import type { Pool } from 'pg';
import { createLineageReader, type RuleVersion, type StoredLineage } from '../../../src/projections/index.js';
import {
  createRuleIndex,
  isByIdentity,
  MAX_LINEAGE_AGE_S,
  ruleKeyFromBytes,
  selectorKey,
  tokenKeys,
  type Selector,
  type TokenKeys,
} from '../../../src/rules/index.js';

/** A recorded token as `rules/` sees it. */
export interface Walked {
  /** Key, hexadecimal. */
  readonly key: string;
  readonly keys: TokenKeys | undefined;
  readonly live: boolean;
}

/** Reads every token of a tenant with its whole lineage, and says of each whether it is live: the definition, without any search. */
export async function walkAllTokens(
  pool: Pool,
  {
    tenant,
    tenantKey,
    now,
    skew,
  }: { readonly tenant: string; readonly tenantKey: Uint8Array; readonly now: number; readonly skew: number },
): Promise<readonly Walked[]> {
  const { rows } = await pool.query<{ key: Buffer }>('SELECT key FROM token WHERE tenant = $1 ORDER BY key', [tenant]);
  const lineages = await createLineageReader({ pool }).tokens(
    tenant,
    rows.map(({ key }) => ruleKeyFromBytes(key)),
  );
  return rows.map(({ key }, nth) => {
    const lineage = lineages[nth]!;
    const members = [...lineage.tokens, ...lineage.idJags];
    const keys = tokenKeys(tenantKey, {
      tokens: lineage.tokens.map(({ facts }) => facts),
      idJags: lineage.idJags.map(({ facts }) => facts),
      seenSeq: members.map(({ seenSeq }) => seenSeq).reduce((one, other) => (other < one ? other : one)),
      skew,
    });
    return { key: key.toString('hex'), keys, live: isLive(lineage, keys, now) };
  });
}

function isLive({ tokens, idJags, broken }: StoredLineage, keys: TokenKeys | undefined, now: number): boolean {
  const { exp, kind } = tokens[0]!.facts;
  if (exp === undefined ? kind !== 'refresh' : exp <= now) return false;
  if (keys === undefined || broken || keys.grantedAt < now - MAX_LINEAGE_AGE_S) return false;
  return ![...tokens, ...idJags].some(({ conflict }) => conflict);
}

/** Keys of the tokens that a block on the selector, or a revoke as of `before`, stops. */
export function stoppedOf(
  walked: readonly Walked[],
  tenantKey: Uint8Array,
  selector: Selector,
  {
    now,
    before,
    reauthenticate = false,
  }: { readonly now: number; readonly before?: number | undefined; readonly reauthenticate?: boolean },
): string[] {
  if (selector.all) return walked.flatMap(({ key, keys }) => (keys ? [key] : []));
  const index = createRuleIndex();
  index.put({
    id: 'walked',
    seq: 1n,
    selector: selectorKey(tenantKey, selector),
    effect: before === undefined ? 'block' : 'revoke',
    before: before ?? 0,
    asOfOrder: false,
    reauthenticate,
  });
  return walked.flatMap(({ key, keys }) => (keys && index.isStopped(keys, now) ? [key] : []));
}

/** The rule as the ledger tells it: a block without an end. */
export const ruleOf = (selector: Selector): Pick<RuleVersion, 'rule' | 'selector' | 'terms'> => ({
  rule: 'asked',
  selector,
  terms: {
    seq: 1,
    effect: 'block',
    byIdentity: isByIdentity(selector),
    before: 0,
    asOfOrder: false,
    reauthenticate: false,
  },
});
