import type { Snapshot, StoredLineage } from '../../projections/index.js';
import { ruleKeyFromBytes, ruleKeyToBytes, tokenKeys, type RuleKey, type TokenKeys } from '../../rules/index.js';
import type { Control } from '../control.js';
import { lineageAsOf } from './lineage-as-of.js';

const CONFLICTS = `SELECT key FROM token WHERE tenant = $1 AND key = ANY ($2::bytea[]) AND conflict_ix < $3
  UNION ALL SELECT key FROM id_jag WHERE tenant = $1 AND key = ANY ($2) AND conflict_ix < $3`;

/** Reads the lineages of tokens as of the snapshot's index. The tokens must have been recorded below it. */
export async function readLineages(
  snapshot: Snapshot,
  tenantKey: Uint8Array,
  keys: readonly RuleKey[],
): Promise<StoredLineage[]> {
  return asOfIndex(snapshot, tenantKey, await snapshot.lineage.tokens(snapshot.tenant, keys));
}

async function asOfIndex(
  snapshot: Snapshot,
  tenantKey: Uint8Array,
  lineages: readonly (StoredLineage | undefined)[],
): Promise<StoredLineage[]> {
  const found = lineages.map((lineage) => lineageAsOf(lineage!, tenantKey, snapshot.index));
  if (snapshot.present) return found;
  // The reader marks members that are contradicted now; this keeps the mark for those that were at the index.
  const contradicted = [
    ...new Set(
      found
        .flatMap(({ tokens, idJags }) => [...tokens, ...idJags])
        .flatMap(({ conflict, key }) => (conflict ? [key] : [])),
    ),
  ];
  if (contradicted.length === 0) return found;
  const rows = await snapshot.rows<{ key: Buffer }>(CONFLICTS, [
    contradicted.map(ruleKeyToBytes),
    String(snapshot.index),
  ]);
  const then = new Set(rows.map(({ key }) => ruleKeyFromBytes(key)));
  const asThen = <M extends { readonly key: RuleKey }>(member: M): M => ({ ...member, conflict: then.has(member.key) });
  return found.map((lineage) => ({
    ...lineage,
    tokens: lineage.tokens.map(asThen),
    idJags: lineage.idJags.map(asThen),
  }));
}

export function keysOf(
  control: Pick<Control, 'skew'>,
  tenantKey: Uint8Array,
  { tokens, idJags }: StoredLineage,
): TokenKeys | undefined {
  const members = [...tokens, ...idJags];
  return tokenKeys(tenantKey, {
    tokens: tokens.map(({ facts }) => facts),
    idJags: idJags.map(({ facts }) => facts),
    seenSeq: members.map(({ seenSeq }) => seenSeq).toSorted((a, b) => (a < b ? -1 : 1))[0],
    skew: control.skew(members.map(({ source }) => source)),
  });
}
