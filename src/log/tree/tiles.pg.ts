import { createNodeReader, TILE_WIDTH, type ReadNodes, type ReadTile, type Tile } from '../../merkle/index.js';
import { RescindError } from '../../contracts/index.js';
import type { Pool } from '../../platform/postgres/index.js';

type Session = Pick<Pool, 'query'>;

const LEAVES = 'SELECT leaf_hash AS hash FROM entry WHERE tenant = $1 AND ix >= $2 AND ix < $3 ORDER BY ix';
const TILES = 'SELECT hash FROM tree_tile WHERE tenant = $1 AND level = $4 AND n >= $2 AND n < $3 ORDER BY n';

/** Reads the hashes of a tile. Throws `ledger-inconsistent` if one is missing. */
export const createTileReader =
  (session: Session, tenant: string): ReadTile =>
  async ({ level, n, width }) => {
    const from = n * BigInt(TILE_WIDTH);
    const range = [tenant, String(from), String(from + BigInt(width))];
    const { rows } = await (level === 0
      ? session.query<{ hash: Buffer }>(LEAVES, range)
      : session.query<{ hash: Buffer }>(TILES, [...range, level - 1]));
    if (rows.length !== width) throw missing(tenant, { level, n, width });
    return Buffer.concat(rows.map(({ hash }) => hash));
  };

const missing = (tenant: string, { level, n }: Tile): RescindError =>
  new RescindError('ledger-inconsistent', {
    detail: `the ledger of ${tenant} lacks hashes of tile ${n} on level ${level}`,
  });

/** Reads hashes of a tenant's tree of `size` leaves. */
export const readTreeNodes = (session: Session, tenant: string, size: bigint): ReadNodes =>
  createNodeReader(size, createTileReader(session, tenant));
