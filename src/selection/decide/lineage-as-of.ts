import { MAX_LINEAGE_HOPS, type StoredIdJag, type StoredLineage, type StoredToken } from '../../projections/index.js';
import { ruleKey, type RuleKey } from '../../rules/index.js';

/**
 * Returns the lineage as it was known below an index. Members that came later are left out, and so are members known
 * only through those. Facts never change. The lineage is broken if the members that were known name a cycle, or too many
 * hops.
 */
export function lineageAsOf(lineage: StoredLineage, tenantKey: Uint8Array, index: bigint): StoredLineage {
  if ([...lineage.tokens, ...lineage.idJags].every(({ ix }) => ix < index)) return lineage;
  const tokens = new Map<RuleKey, StoredToken>();
  const idJags = new Set<StoredIdJag>();
  let broken = false;
  /** Walks up as `read-lineage.sql` does; `path` are the tokens below. */
  function walk(key: RuleKey, path: readonly RuleKey[]): void {
    if (path.length > MAX_LINEAGE_HOPS || path.includes(key)) {
      broken = true;
      return;
    }
    const token = lineage.tokens.find((one) => one.key === key && one.ix < index);
    if (!token) return;
    tokens.set(key, token);
    const below = [...path, key];
    if (token.parentKey !== undefined) walk(token.parentKey, below);
    for (const idJag of lineage.idJags) {
      if (idJag.ix >= index || !isNamed(idJag, token.idJagKey, tenantKey)) continue;
      idJags.add(idJag);
      if (idJag.parentKey !== undefined) walk(idJag.parentKey, below);
    }
  }
  walk(lineage.tokens[0]!.key, []);
  return { ...lineage, tokens: [...tokens.values()], idJags: [...idJags], broken };
}

const isNamed = ({ key, facts: { sha256 } }: StoredIdJag, named: RuleKey | undefined, tenantKey: Uint8Array): boolean =>
  named === key || (sha256 !== undefined && named === ruleKey(tenantKey, 'id_jag', [sha256]));
