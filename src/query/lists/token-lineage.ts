import type { StoredLineage } from '../../projections/index.js';
import { ruleKey, ruleKeyToBytes, type RuleKey, type TokenKeys } from '../../rules/index.js';
import type { TokenAnswer } from './answers.js';
import type { Reader } from '../ask/reader.js';

const textOf = (key: RuleKey): string => ruleKeyToBytes(key).toString('base64url');

/** Describes the ancestors of a token, nearest first, and those that are named but not recorded. */
export function describeLineage(walked: StoredLineage, tenantKey: Uint8Array, reader: Reader): TokenAnswer['lineage'] {
  // A token and its ID-JAG may name the same parent, which the walk then finds twice.
  const lineage = { ...walked, tokens: onceByKey(walked.tokens), idJags: onceByKey(walked.idJags) };
  const tokens = new Set(lineage.tokens.map(({ key }) => key));
  // A token may name its ID-JAG by either identity.
  const idJags = new Set(
    lineage.idJags.flatMap(({ key, facts }) =>
      facts.sha256 === undefined ? [key] : [key, ruleKey(tenantKey, 'id_jag', [facts.sha256])],
    ),
  );
  const parents = new Set(
    [...lineage.tokens, ...lineage.idJags].flatMap(({ parentKey }) => (parentKey === undefined ? [] : [parentKey])),
  );
  const named = new Set(lineage.tokens.flatMap(({ idJagKey }) => (idJagKey === undefined ? [] : [idJagKey])));
  const describe = (member: StoredLineage['tokens' | 'idJags'][number]) => ({
    id: textOf(member.key),
    index: String(member.ix),
    source: reader.source(member.source),
    facts: member.facts as unknown as Record<string, unknown>,
    conflict: member.conflict,
  });
  return {
    tokens: lineage.tokens.slice(1).map(describe),
    id_jags: lineage.idJags.map(describe),
    missing: [
      ...[...parents].filter((key) => !tokens.has(key)).map((key) => ({ kind: 'token' as const, id: textOf(key) })),
      ...[...named].filter((key) => !idJags.has(key)).map((key) => ({ kind: 'id_jag' as const, id: textOf(key) })),
    ],
    broken: lineage.broken,
  };
}

function onceByKey<T extends { readonly key: RuleKey }>(members: readonly T[]): readonly T[] {
  const first = new Map<RuleKey, T>();
  for (const member of members) if (!first.has(member.key)) first.set(member.key, member);
  return [...first.values()];
}

/** Lists the rules in force that stop the token, by id, at most `MAX_RULES_NAMED`. `now` is epoch seconds. */
export type FindStopping = (tenant: string, keys: TokenKeys, now: number) => readonly string[];

/** Looks among the rules of this process. */
export const createFindStopping =
  (reader: Reader): FindStopping =>
  (tenant, keys, now) =>
    reader.rules(tenant).findAllStopping(keys, now).toSorted();
