import type { IdJagIssued, TokenIssued } from '../../contracts/index.js';
import type { RuleKey } from '../../rules/index.js';

/** The most steps from token to token. A longer lineage is broken (design, section 2). */
export const MAX_LINEAGE_HOPS = 8;

export interface Stored<Facts> {
  readonly key: RuleKey;
  readonly ix: bigint;
  /** Seq of the control head when the batch began. A rule with a higher seq was ordered later. */
  readonly seenSeq: bigint;
  /** Id of the source that stated the facts. */
  readonly source: string;
  readonly facts: Facts;
  /** True if another event contradicts the facts: then the token or ID-JAG is never active. */
  readonly conflict: boolean;
  readonly parentKey: RuleKey | undefined;
}

export type StoredIdJag = Stored<IdJagIssued>;
export type StoredToken = Stored<TokenIssued> & { readonly idJagKey: RuleKey | undefined };

/** A token or ID-JAG, first in its list, and its ancestors after it. */
export interface StoredLineage {
  readonly tokens: readonly StoredToken[];
  readonly idJags: readonly StoredIdJag[];
  /** True if every named ancestor was found: then the lineage cannot change any more, except by a conflict. */
  readonly complete: boolean;
  /** True if the lineage has a cycle or more than `MAX_LINEAGE_HOPS` hops: then it is never active. */
  readonly broken: boolean;
}
