/**
 * The moment that an answer holds for: the ledger's entries below `index`, and `at` (epoch seconds) as the current time
 * for everything that expires.
 */
export interface Moment {
  readonly index: bigint;
  readonly at: number;
}

/**
 * The moment that was asked for. `index` alone: when that many entries had arrived. `atMs` alone: what had arrived by
 * then, epoch milliseconds. `agoMs` alone: what had arrived so many milliseconds before now.
 */
export type AskedMoment = Moment | { readonly index: bigint } | { readonly atMs: number } | { readonly agoMs: number };
