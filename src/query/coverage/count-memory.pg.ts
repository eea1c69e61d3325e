import { LRUCache } from 'lru-cache';
import { loadSql } from '../../platform/postgres/index.js';
import type { Snapshot } from '../ask/snapshot.pg.js';
import { blockOf, clockDaysOf, joinDelays, NO_DELAYS, readCountsBelow, type Count } from './heard.pg.js';
import { readUsesBelow, type SourceUses } from './uses.pg.js';

const NOW = { name: 'coverage-now', text: loadSql(import.meta.url, 'now.sql') };

/** Kinds of what sources said that a process remembers, over all tenants: about 300 bytes each. */
const MAX_REMEMBERED = 20_000;

/** Counts of these sources in all blocks below `block`. They never change. */
interface Closed {
  readonly block: number;
  /** First day that the clock is judged by. */
  readonly since: number;
  readonly sources: readonly string[];
  readonly counts: ReadonlyMap<string, Count>;
  readonly uses: ReadonlyMap<string, SourceUses>;
}

export interface Now {
  readonly counts: Iterable<Count>;
  readonly uses: ReadonlyMap<string, SourceUses>;
  readonly refused: readonly Refused[];
  readonly sequences: ReadonlyMap<string, Sequence>;
}

export interface Refused {
  readonly source: string;
  readonly code: string;
  readonly count: number;
  /** Records counted over all sources and codes. */
  readonly read: number;
}

export interface Sequence {
  readonly first: number;
  readonly last: number;
  readonly missing: number;
  readonly repeated: number;
  readonly given_up: number;
}

/** Seconds between which refusals are counted (`to` is exclusive), and the number that is counted at most. */
export interface RefusalWindow {
  readonly from: number;
  readonly to: number;
  readonly most: number;
}

export type ReadNow = (snapshot: Snapshot, sources: readonly string[], refusals: RefusalWindow) => Promise<Now>;

/** Reads what sources said as of now: closed blocks from memory, and one statement for the rest. */
export function createCountMemory(): ReadNow {
  const remembered = new LRUCache<string, Closed>({
    maxSize: MAX_REMEMBERED,
    sizeCalculation: ({ counts }) => 1 + counts.size,
  });
  return async (snapshot, sources, { from, to, most }) => {
    const name = `${snapshot.tenant} ${snapshot.tables}`;
    const block = blockOf(snapshot);
    const since = clockDaysOf(snapshot);
    const there = remembered.get(name);
    const fits = there !== undefined && there.block <= block && there.since === since && isSame(there.sources, sources);
    const closed = fits ? there : await readClosed(snapshot, block, since, sources);
    const [row] = await snapshot.rows<NowRow>(NOW, [closed.block, sources, from, to, most, block]);
    const counts = (row!.counts ?? []).map(countOf);
    const uses = (row!.uses ?? []).map(([source, blk, came, attributed]) => ({ source, blk, came, attributed }));
    const below =
      closed.block === block
        ? closed
        : {
            ...closed,
            ...join(
              closed,
              counts.filter(({ blk }) => blk < block),
              uses.filter(({ blk }) => blk < block),
            ),
            block,
          };
    // If two questions cross the end of a block, the one with the higher block is kept.
    if (below !== there && (there === undefined || there.block <= block)) remembered.set(name, below);
    const whole = join(
      below,
      counts.filter(({ blk }) => blk >= block),
      uses.filter(({ blk }) => blk >= block),
    );
    return {
      counts: whole.counts.values(),
      uses: whole.uses,
      refused: (row!.refused ?? []).map(([source, code, count, read]) => ({ source, code, count, read })),
      sequences: new Map(
        (row!.sequences ?? []).map(([source, first, last, missing, repeated, given_up]) => [
          source,
          { first, last, missing, repeated, given_up },
        ]),
      ),
    };
  };
}

const isSame = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((source, nth) => source === other[nth]);

async function readClosed(
  snapshot: Snapshot,
  block: number,
  since: number,
  sources: readonly string[],
): Promise<Closed> {
  const counts = await readCountsBelow(snapshot, block, since, sources);
  const uses = await readUsesBelow(snapshot, block);
  return { block, since, sources, counts: new Map(counts.map((count) => [keyOf(count), count])), uses };
}

const keyOf = ({ source, what }: { readonly source: string; readonly what: string }): string => `${source} ${what}`;

type BlockCount = Count & { readonly blk: number; readonly day: number };
type BlockUses = SourceUses & { readonly source: string; readonly blk: number };

/**
 * Adds counts of later blocks. `counts` come in the order of days and blocks: the last of a kind holds the total from
 * the beginning.
 */
function join(
  { counts, uses, since }: Pick<Closed, 'counts' | 'uses' | 'since'>,
  more: readonly BlockCount[],
  used: readonly BlockUses[],
): Pick<Closed, 'counts' | 'uses'> {
  const all = new Map(counts);
  for (const one of more) {
    const before = all.get(keyOf(one))?.delays ?? NO_DELAYS;
    all.set(keyOf(one), { ...one, delays: one.day < since ? before : joinDelays(before, one.delays) });
  }
  const sums = new Map(uses);
  for (const { source, came, attributed } of used) {
    const before = sums.get(source) ?? { came: 0, attributed: 0 };
    sums.set(source, { came: before.came + came, attributed: before.attributed + attributed });
  }
  return { counts: all, uses: sums };
}

const countOf = ([
  source,
  what,
  blk,
  day,
  n,
  lastIx,
  lastArrival,
  lastDelay,
  events,
  least,
  most,
  sum,
  ahead,
  prompt,
]: CountWords): BlockCount => ({
  source,
  what,
  blk,
  day,
  n,
  lastIx,
  lastArrival,
  lastDelay,
  delays: sum === null ? NO_DELAYS : { events, least: least!, most: most!, sum, ahead, prompt },
});

type CountWords = readonly [
  source: string,
  what: string,
  blk: number,
  day: number,
  total: number,
  lastIx: number,
  lastArrival: number,
  lastDelay: number | null,
  n: number,
  least: number | null,
  most: number | null,
  sum: number | null,
  ahead: number,
  prompt: number,
];

/** A row of `now.sql`. A list without rows is null. */
interface NowRow {
  readonly [column: string]: unknown;
  readonly counts: readonly CountWords[] | null;
  readonly uses: readonly (readonly [source: string, blk: number, came: number, attributed: number])[] | null;
  readonly refused: readonly (readonly [source: string, code: string, count: number, read: number])[] | null;
  readonly sequences:
    | readonly (readonly [
        source: string,
        first: number,
        last: number,
        missing: number,
        repeated: number,
        givenUp: number,
      ])[]
    | null;
}
