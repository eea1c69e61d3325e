import {
  createNodeReader,
  HASH_BYTES,
  rootOf,
  TILE_WIDTH,
  tilePath,
  tileWidth,
  type Checkpoint,
  type Tile,
} from '../../merkle/index.js';
import { hashOfTile, type GrownTile } from '../grown-tiles.js';
import { FoundWrong } from '../wrong.js';

export type ReadHashes = (tile: Tile & { readonly level: number }) => Promise<Buffer>;

const WIDTH = BigInt(TILE_WIDTH);

export const pathOf = ({ level, n, hashes }: GrownTile): string =>
  tilePath({ level, n, width: hashes.length / HASH_BYTES });

/** Decides which of two parts is wrong if a served tile is another than the entries give: the one that the signed root does not stand over. */
export function createBlame({ size, root }: Checkpoint, readHashes: ReadHashes) {
  async function isUnderRoot({ level, n, hashes }: GrownTile): Promise<boolean> {
    if (hashes.length === TILE_WIDTH * HASH_BYTES) {
      const parent = { level: level + 1, n: n / WIDTH };
      const above = await readHashes({ ...parent, width: tileWidth(parent, size) });
      const slot = Number(n % WIDTH) * HASH_BYTES;
      return (
        hashOfTile(hashes).equals(above.subarray(slot, slot + HASH_BYTES)) && isUnderRoot({ ...parent, hashes: above })
      );
    }
    const readEdge = createNodeReader(size, async (tile) =>
      tile.level === level && tile.n === n ? hashes : readHashes(tile),
    );
    return root.equals(await rootOf(size, readEdge));
  }

  /** Compares a tile with what the entries under it give. */
  return async (grown: GrownTile, served: Buffer): Promise<FoundWrong | undefined> => {
    if (served.equals(grown.hashes)) return undefined;
    const { level, n } = grown;
    const path = pathOf(grown);
    let nth = 0;
    while (served.compare(grown.hashes, nth, nth + HASH_BYTES, nth, nth + HASH_BYTES) === 0) nth += HASH_BYTES;
    const slot = nth / HASH_BYTES;
    const under = n * WIDTH + BigInt(slot);
    if (!(await isUnderRoot({ ...grown, hashes: served })))
      return new FoundWrong(
        path,
        `hash ${slot} is not that of ${level === 0 ? `entry ${under}` : 'the tile below it'}`,
      );
    return level === 0
      ? new FoundWrong(
          tilePath({ level: 'entries', n, width: grown.hashes.length / HASH_BYTES }),
          `entry ${under} is not the one that was signed: ${path} has another hash`,
        )
      : new FoundWrong(
          tilePath({ level: level - 1, n: under, width: TILE_WIDTH }),
          `it and the entries under it are not those that were signed: ${path} has another hash`,
        );
  };
}
