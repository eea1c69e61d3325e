import type { StoredLineage, StoredToken } from '../../projections/index.js';
import { ruleKey, type RuleKey } from '../../rules/index.js';

/**
 * Returns the lineage as it was known below an index. Members that came later are left out, and so are members known
 * only through those. Facts never change.
 */
export function lineageAsOf(lineage: StoredLineage, tenantKey: Uint8Array, index: bigint): StoredLineage {
  if ([...lineage.tokens, ...lineage.idJags].every(({ ix }) => ix < index)) return lineage;
  const tokens = new Map<RuleKey, StoredToken>();
  const idJags = new Set<StoredLineage['idJags'][number]>();
  const named: RuleKey[] = [lineage.tokens[0]!.key];
  for (let key = named.shift(); key !== undefined; key = named.shift()) {
    const token = lineage.tokens.find((one) => one.key === key && one.ix < index);
    if (!token || tokens.has(key)) continue;
    tokens.set(key, token);
    if (token.parentKey !== undefined) named.push(token.parentKey);
    for (const idJag of lineage.idJags) {
      const { sha256 } = idJag.facts;
      const isNamed =
        token.idJagKey === idJag.key ||
        (sha256 !== undefined && token.idJagKey === ruleKey(tenantKey, 'id_jag', [sha256]));
      if (!isNamed || idJag.ix >= index) continue;
      idJags.add(idJag);
      if (idJag.parentKey !== undefined) named.push(idJag.parentKey);
    }
  }
  return { ...lineage, tokens: [...tokens.values()], idJags: [...idJags] };
}
