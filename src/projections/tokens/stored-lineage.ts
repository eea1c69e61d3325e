import type { IdJagIssued, TokenIssued } from '../../contracts/index.js';
import type { RuleKey } from '../../rules/index.js';

/** Steps from token to token; a longer lineage is broken (design, section 2). */
export const MAX_LINEAGE_HOPS = 8;

export interface Stored<Facts> {
  readonly key: RuleKey;
  readonly ix: bigint;
  /** Control head when its batch began: a rule with a higher seq was ordered later. */
  readonly seenSeq: bigint;
  /** Id of the source that said it. */
  readonly source: string;
  readonly facts: Facts;
  /** Another event contradicts it: never active. */
  readonly conflict: boolean;
  readonly parentKey: RuleKey | undefined;
}

export type StoredIdJag = Stored<IdJagIssued>;
export type StoredToken = Stored<TokenIssued> & { readonly idJagKey: RuleKey | undefined };

/** What was asked for stands first in its list, its ancestors after it. */
export interface StoredLineage {
  readonly tokens: readonly StoredToken[];
  readonly idJags: readonly StoredIdJag[];
  /** Every ancestor that is named anywhere was found: the lineage cannot change any more, conflicts apart. */
  readonly complete: boolean;
  /** A cycle, or more than `MAX_LINEAGE_HOPS`: never active. */
  readonly broken: boolean;
}
