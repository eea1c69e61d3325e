import { loadSql } from '../../platform/postgres/index.js';
import { firstOfBlock } from './blocks.js';
import type { UsageMoment } from './read.pg.js';

const CLOSED = loadSql(import.meta.url, 'closed-edge-uses.sql');
const OPEN = loadSql(import.meta.url, 'open-edge-uses.sql');
const CUT = loadSql(import.meta.url, 'cut-edge-uses.sql');

/** Attributed uses of a client at a resource: their number, and first and last time in epoch seconds. */
export interface EdgeSum {
  readonly [column: string]: unknown;
  readonly client: number;
  readonly res: number;
  readonly n: number;
  readonly allowed: number;
  readonly first_at: number;
  readonly last_at: number;
  /** Null if no use was allowed; so is `last_allowed`. */
  readonly first_allowed: number | null;
  readonly last_allowed: number | null;
}

export interface EdgesWanted {
  readonly clients?: readonly number[] | undefined;
  readonly resources?: readonly number[] | undefined;
}

/** Sums the uses in the blocks below `block`, which must be closed at the moment. The answer never changes. */
export const readClosedEdges = (
  moment: UsageMoment,
  block: bigint,
  { clients, resources }: EdgesWanted = {},
): Promise<EdgeSum[]> => moment.rows<EdgeSum>(CLOSED, [String(block), clients, resources]);

/** Sums the uses in the moment's own block. Together with the closed blocks below, these are all uses as of the moment. */
export async function readOpenEdges(
  moment: UsageMoment,
  block: bigint,
  { clients, resources }: EdgesWanted,
): Promise<readonly EdgeSum[]> {
  const { index } = moment;
  if (!moment.present)
    return moment.rows<EdgeSum>(
      { text: CUT, uses: () => [{ index, since: firstOfBlock(index), client: clients, res: resources }] },
      [String(index), clients, resources],
    );
  const [row] = await moment.rows<{ sums: string | null }>(OPEN, [String(block), clients, resources]);
  return sumsOf(row!.sums === null ? [] : row!.sums.split(' ').map(Number));
}

const MEMBERS = 8;

function sumsOf(words: readonly number[]): readonly EdgeSum[] {
  const sums: EdgeSum[] = [];
  for (let at = 0; at < words.length; at += MEMBERS) {
    const [client, res, n, allowed, first, last, firstAllowed, lastAllowed] = words.slice(at, at + MEMBERS) as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    sums.push({
      client,
      res,
      n,
      allowed,
      first_at: first,
      last_at: last,
      first_allowed: firstAllowed || null,
      last_allowed: lastAllowed || null,
    });
  }
  return sums;
}
