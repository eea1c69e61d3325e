import type { Seq } from '../control/index.js';
import { DIMENSIONS, MAX_LINEAGE_AGE_S, type RuleKey } from '../rules/index.js';
import { setsOf, type KnownToken } from './facts/known-token.js';

/** Seconds. A guard asks anew about what it keeps, as facts are read anew. */
const KEEP_S = 600;

/** The facts that a guard needs beside an answer to repeat it on its own. They are read in the same synchronous step as the decision. */
export interface Sight {
  /** Every control record up to here was judged. */
  readonly seq: Seq;
  /** How long the answer may be kept, counted from before it was asked for; 0: not at all, its lineage can still change. */
  readonly keepMs: number;
  /** The token's rule keys, by position in `DIMENSIONS`: a later rule whose members are all among them may stop it. */
  readonly sets: readonly (readonly RuleKey[])[];
}

const NO_SETS: Sight['sets'] = DIMENSIONS.map(() => []);

/** `known`: facts of a token that was just found active at `now`, epoch seconds; an ID-JAG has none, and is not kept. */
export function sightOf(known: KnownToken | undefined, seq: Seq, now: number): Sight {
  const sets = known && setsOf(known);
  if (!known || !sets || !known.common.lineage.complete) return { seq, keepMs: 0, sets: sets ?? NO_SETS };
  const left = Math.min(KEEP_S, (known.exp ?? Infinity) - now, known.grantedAt + MAX_LINEAGE_AGE_S - now);
  return { seq, keepMs: Math.max(0, Math.floor(left * 1000)), sets };
}
