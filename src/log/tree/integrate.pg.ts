import { RescindError } from '../../contracts/index.js';
import { createFrontier, frontierNodes, rootOf, TILE_HEIGHT } from '../../merkle/index.js';
import { byteaArray, int2Array, int8Array, loadSql, type Pool } from '../../platform/postgres/index.js';
import { ensureTree, readTree, type StoredTree } from './head.pg.js';
import { readTreeNodes } from './tiles.pg.js';

type Session = Pick<Pool, 'query'>;

const LEAVES = 'SELECT ix, leaf_hash FROM entry WHERE tenant = $1 AND ix >= $2 AND ix < $3 ORDER BY ix';
const MOVE_TREE = loadSql(import.meta.url, 'move-tree.sql');

/** Entries of one batch. A batch is one commit. */
export const BATCH_ENTRIES = 16_384n;

/** A tree with its right edge, which the next batch grows from. */
export interface HeldTree extends StoredTree {
  readonly edge: readonly Uint8Array[];
}

/** Reads the tree as committed, and its edge from the tiles. Throws `ledger-inconsistent` if the tiles do not give its root. */
export async function holdTree(session: Session, tenant: string): Promise<HeldTree> {
  await ensureTree(session, tenant);
  const tree = await readTree(session, tenant);
  const readNodes = readTreeNodes(session, tenant, tree.size);
  if (!(await rootOf(tree.size, readNodes)).equals(tree.root))
    throw inconsistent(`the tiles of ${tenant} do not give the root of its ${tree.size} entries`);
  return { ...tree, edge: await readNodes(frontierNodes(tree.size)) };
}

/**
 * Integrates the next entries of a ledger below index `end`. Returns the new tree, or undefined if another process has moved the tree since
 * it was held: hold it again. Throws `ledger-inconsistent` if an entry is missing.
 */
export async function integrateBatch(
  session: Session,
  tenant: string,
  held: HeldTree,
  end: bigint,
): Promise<HeldTree | undefined> {
  const to = end - held.size > BATCH_ENTRIES ? held.size + BATCH_ENTRIES : end;
  const { rows } = await session.query<{ ix: string; leaf_hash: Buffer }>(LEAVES, [
    tenant,
    String(held.size),
    String(to),
  ]);
  const frontier = createFrontier(held.size, held.edge);
  const tiles: { level: number; n: bigint; hash: Buffer }[] = [];
  for (const { ix, leaf_hash } of rows) {
    if (BigInt(ix) !== frontier.size) break;
    frontier.append(leaf_hash, (level, n, hash) => {
      if (level % TILE_HEIGHT === 0) tiles.push({ level: level / TILE_HEIGHT - 1, n, hash });
    });
  }
  if (frontier.size !== to) throw inconsistent(`the ledger of ${tenant} has no entry ${frontier.size}`);
  const next = { incarnation: held.incarnation, size: to, root: frontier.root(), edge: frontier.hashes() };
  const moved = await session.query<{ moved: number }>(MOVE_TREE, [
    tenant,
    held.incarnation,
    String(held.size),
    String(next.size),
    next.root,
    int2Array(tiles.map(({ level }) => level)),
    int8Array(tiles.map(({ n }) => n)),
    byteaArray(tiles.map(({ hash }) => hash)),
  ]);
  return moved.rows[0]!.moved === 1 ? next : undefined;
}

const inconsistent = (detail: string): RescindError => new RescindError('ledger-inconsistent', { detail });
