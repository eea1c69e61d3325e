import { loadSql } from '../../platform/postgres/index.js';
import type { Snapshot } from '../ask/snapshot.pg.js';

const USES = loadSql(import.meta.url, 'uses.sql');
const USES_BELOW = {
  name: 'source-uses-below',
  text: 'SELECT source, sum(came) AS came, sum(attributed) AS attributed FROM use_source WHERE tenant = $1 AND blk < $2::int GROUP BY source',
};

/** Uses that a source reported, and those that are attributed. */
export interface SourceUses {
  readonly came: number;
  readonly attributed: number;
}

/** Sums uses as of a past index. */
export const readUsesAt = async (snapshot: Snapshot, block: number): Promise<ReadonlyMap<string, SourceUses>> =>
  usesOf(await snapshot.rows<UsesRow>(USES, [block, String(snapshot.index)]));

/** Sums uses in closed blocks below `block`. */
export const readUsesBelow = async (snapshot: Snapshot, block: number): Promise<ReadonlyMap<string, SourceUses>> =>
  usesOf(await snapshot.rows<UsesRow>(USES_BELOW, [block]));

const usesOf = (rows: readonly UsesRow[]): ReadonlyMap<string, SourceUses> =>
  new Map(rows.map(({ source, came, attributed }) => [source, { came: Number(came), attributed: Number(attributed) }]));

interface UsesRow {
  readonly [column: string]: unknown;
  readonly source: string;
  readonly came: string;
  readonly attributed: string;
}
