/** One version of an object: its state from ledger index `from` to `to` (exclusive). */
export interface Version<S> {
  readonly key: string;
  readonly from: bigint;
  readonly to: bigint | undefined;
  readonly state: S;
}

export interface Change<S> {
  readonly key: string;
  readonly ix: bigint;
  /** Returns the state after the event, or `before` itself if the event changes nothing. Pure. */
  evolve(before: S | undefined): S | undefined;
}

export interface FoldedVersions<S> {
  /** Versions that were open before this batch and end in it. */
  readonly closed: readonly (Version<S> & { readonly to: bigint })[];
  /** Versions that begin in this batch. All except the last of each key also end in it. */
  readonly opened: readonly Version<S>[];
}

/** Folds a batch, in index order, over the versions that were open before it. A change without effect creates no version. */
export function foldVersions<S>(
  open: ReadonlyMap<string, Version<S>>,
  changes: readonly Change<S>[],
): FoldedVersions<S> {
  const current = new Map(open);
  const closed: (Version<S> & { to: bigint })[] = [];
  const opened: Version<S>[] = [];
  for (const { key, ix, evolve } of [...changes].sort((a, b) => (a.ix < b.ix ? -1 : a.ix > b.ix ? 1 : 0))) {
    const before = current.get(key);
    const state = evolve(before?.state);
    if (state === undefined || state === before?.state) continue;
    if (before && before.from === ix) {
      current.set(key, { ...before, state });
      continue;
    }
    if (before) (open.get(key) === before ? closed : opened).push({ ...before, to: ix });
    current.set(key, { key, from: ix, to: undefined, state });
  }
  for (const [key, version] of current) if (version !== open.get(key)) opened.push(version);
  return { closed, opened };
}
