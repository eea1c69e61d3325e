import { createFrontier, HASH_BYTES, TILE_HEIGHT, TILE_WIDTH } from '../merkle/index.js';

/** A tile as leaves give it. */
export interface GrownTile {
  readonly level: number;
  readonly n: bigint;
  readonly hashes: Buffer;
}

interface OpenTile {
  n: bigint;
  count: number;
  readonly hashes: Buffer;
}

/** Recomputes a tree and all its tiles from its leaves. Holds one open tile a level, however large the tree is. */
export function createGrownTiles() {
  const frontier = createFrontier(0n, []);
  const open: OpenTile[] = [];
  let full: GrownTile[] = [];

  function add(level: number, hash: Uint8Array): void {
    const tile = (open[level] ??= { n: 0n, count: 0, hashes: Buffer.alloc(TILE_WIDTH * HASH_BYTES) });
    tile.hashes.set(hash, tile.count * HASH_BYTES);
    tile.count += 1;
    if (tile.count < TILE_WIDTH) return;
    full.push({ level, n: tile.n, hashes: Buffer.from(tile.hashes) });
    tile.n += 1n;
    tile.count = 0;
  }

  return {
    append(leafHash: Uint8Array): void {
      add(0, leafHash);
      frontier.append(leafHash, (level, _index, hash) => {
        if (level % TILE_HEIGHT === 0) add(level / TILE_HEIGHT, hash);
      });
    },
    /** Takes the tiles that became full since the last call, the lowest first. */
    takeFull(): readonly GrownTile[] {
      const taken = full;
      full = [];
      return taken;
    },
    /** Lists the tiles at the right edge that are not full, the lowest first. */
    partial: (): readonly GrownTile[] =>
      open.flatMap(({ n, count, hashes }, level) =>
        count === 0 ? [] : [{ level, n, hashes: Buffer.from(hashes.subarray(0, count * HASH_BYTES)) }],
      ),
    root: (): Buffer => frontier.root(),
  };
}

/** Computes the hash of a full tile. */
export function hashOfTile(hashes: Buffer): Buffer {
  const frontier = createFrontier(0n, []);
  for (let at = 0; at < hashes.length; at += HASH_BYTES) frontier.append(hashes.subarray(at, at + HASH_BYTES));
  return frontier.root();
}
