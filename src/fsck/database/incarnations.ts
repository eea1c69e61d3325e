import type { Found } from './found.js';
import { readOrigin, type SignedRoot, type WantedRoot } from './signed-roots.js';

/** An entry `ledger.continued`: the first of an incarnation, with the last checkpoint of the one before. */
export interface Continuation {
  readonly ix: bigint;
  /** The incarnation that the entry opened. */
  readonly incarnation: number;
  readonly last: SignedRoot;
}

/** A signed checkpoint of an earlier incarnation that may cover entries which an old backup lost. */
export type EarlierRoot = SignedRoot & Pick<WantedRoot, 'kind' | 'place'>;

/** Reads the data of an entry `ledger.continued`; undefined if it is none. */
export function readContinuation(ix: bigint, data: Readonly<Record<string, unknown>>): Continuation | undefined {
  const { origin, kept, last } = data as { origin?: unknown; kept?: unknown; last?: Record<string, unknown> };
  const [opened, ended] = [readOrigin(String(origin)), readOrigin(String(last?.['origin']))];
  const size = /^\d{1,18}$/.exec(String(last?.['size']))?.[0];
  if (opened === undefined || ended === undefined || size === undefined || kept !== String(ix)) return undefined;
  const root = Buffer.from(String(last?.['root']), 'base64');
  return { ix, incarnation: opened.incarnation, last: { incarnation: ended.incarnation, size: BigInt(size), root } };
}

/** Checks that each incarnation was opened by an entry, up to the one that the tree is of. */
export function checkContinuations(continuations: readonly Continuation[], incarnation: number, found: Found): void {
  let present = 1;
  for (const { ix, incarnation: opened } of continuations) {
    if (opened <= present) found.add('entry', `entry ${ix}`, `opens incarnation ${opened} after ${present}`);
    present = Math.max(present, opened);
  }
  if (present !== incarnation)
    found.add(
      'tree_head',
      'tree_head',
      `is of incarnation ${incarnation}, and the newest that an entry opened is ${present}`,
    );
}

/** Checks checkpoints that may cover what was lost: the entry that ended their incarnation must know of them. */
export function checkLost(earlier: readonly EarlierRoot[], continuations: readonly Continuation[], found: Found): void {
  for (const { kind, place, incarnation, size, root } of earlier) {
    // An incarnation that was lost as a whole is ended by the entry that names a later one.
    const ending = continuations.find(({ last }) => last.incarnation >= incarnation);
    if (ending === undefined) found.add(kind, place, `is of incarnation ${incarnation}, which no entry ended`);
    else if (ending.last.incarnation > incarnation) continue;
    else if (size > ending.last.size || (size === ending.last.size && !root.equals(ending.last.root)))
      found.add(
        kind,
        place,
        `is not one that entry ${ending.ix} continues: its incarnation ended with ${ending.last.size} entries`,
      );
  }
}
