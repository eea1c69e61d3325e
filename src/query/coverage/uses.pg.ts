import { loadSql } from '../../platform/postgres/index.js';
import { BLOCK_BITS, firstOfBlock, type Snapshot } from '../../projections/index.js';

const USES = loadSql(import.meta.url, 'uses.sql');
/** A block number that no ledger reaches, so that every block counts whole. */
const NO_OPEN_BLOCK = 2 ** 31 - 1;

/** Uses that a source reported, and those that are attributed. */
export interface SourceUses {
  readonly came: number;
  readonly attributed: number;
}

/** Sums uses by source, as of the snapshot. */
export async function readUses({ rows, index, present }: Snapshot): Promise<ReadonlyMap<string, SourceUses>> {
  const found = await rows<UsesRow>(
    { text: USES, uses: () => (present ? [] : [{ index, since: firstOfBlock(index) }]) },
    [present ? NO_OPEN_BLOCK : Number(index >> BLOCK_BITS), String(index)],
  );
  return new Map(
    found.map(({ source, came, attributed }) => [source, { came: Number(came), attributed: Number(attributed) }]),
  );
}

interface UsesRow {
  readonly [column: string]: unknown;
  readonly source: string;
  readonly came: string;
  readonly attributed: string;
}
