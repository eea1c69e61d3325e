import { Buffer } from 'node:buffer';
import { HASH_BYTES, joinHashes, type Node } from './nodes.js';
import type { ReadNodes } from './proofs.js';

/** Levels of the tree in a tile, and the hashes or entries of a full one (C2SP tlog-tiles 0.1.0). */
export const TILE_HEIGHT = 8;
export const TILE_WIDTH = 256;
const MAX_TILE_LEVEL = 63;

/** A tile of hashes, or a bundle of entries. Hash i of tile n at level L is the root of the 256^L leaves from (256 n + i) × 256^L on. */
export interface Tile {
  readonly level: number | 'entries';
  readonly n: bigint;
  /** 1 to 256; fewer than 256 for the partial tile at the right edge of a tree. */
  readonly width: number;
}

/** Writes the path below the log's prefix: `tile/0/x001/234.p/7`. */
export function tilePath({ level, n, width }: Tile): string {
  const groups = n
    .toString()
    .padStart(Math.ceil(n.toString().length / 3) * 3, '0')
    .match(/.{3}/g)!;
  const path = groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join('/');
  return `tile/${level}/${path}${width === TILE_WIDTH ? '' : `.p/${width}`}`;
}

const TILE_PATH = /^tile\/(entries|0|[1-9][0-9]?)\/((?:x[0-9]{3}\/){0,6}[0-9]{3})(?:\.p\/([1-9][0-9]{0,2}))?$/;

/** Reads a path. Returns undefined for every other spelling than that of `tilePath`. */
export function parseTilePath(path: string): Tile | undefined {
  const match = TILE_PATH.exec(path);
  if (match === null) return undefined;
  const [, levelText, groups, widthText] = match as unknown as [string, string, string, string | undefined];
  const level = levelText === 'entries' ? levelText : Number(levelText);
  const width = widthText === undefined ? TILE_WIDTH : Number(widthText);
  if (level !== 'entries' && level > MAX_TILE_LEVEL) return undefined;
  const tile = { level, n: BigInt(groups.replaceAll(/[x/]/g, '')), width } as const;
  return tilePath(tile) === path ? tile : undefined;
}

/** Tells how many hashes (or entries) of tile `n` a tree of `size` leaves has: 0 to 256. */
export function tileWidth({ level, n }: Omit<Tile, 'width'>, size: bigint): number {
  const hashes = size >> BigInt(TILE_HEIGHT * (level === 'entries' ? 0 : level));
  const left = hashes - n * BigInt(TILE_WIDTH);
  return left < 0n ? 0 : left > BigInt(TILE_WIDTH) ? TILE_WIDTH : Number(left);
}

/** Reads the hashes of a tile, one after the other. */
export type ReadTile = (tile: Tile & { readonly level: number }) => Promise<Uint8Array>;

/** Reads hashes of a tree of `size` leaves from its tiles, each tile once. Rejects if a tile has another width than its tree. */
export function createNodeReader(size: bigint, readTile: ReadTile): ReadNodes {
  const tiles = new Map<string, Promise<Uint8Array>>();
  function tileOf(level: number, n: bigint): Promise<Uint8Array> {
    const key = `${level}/${n}`;
    let tile = tiles.get(key);
    if (tile === undefined) {
      tile = readTile({ level, n, width: tileWidth({ level, n }, size) });
      tiles.set(key, tile);
    }
    return tile;
  }
  async function hashOf({ level, index }: Node): Promise<Buffer> {
    const within = level % TILE_HEIGHT;
    const first = index << BigInt(within);
    const hashes = await tileOf((level - within) / TILE_HEIGHT, first / BigInt(TILE_WIDTH));
    const at = Number(first % BigInt(TILE_WIDTH));
    const count = 2 ** within;
    if (hashes.length < (at + count) * HASH_BYTES) throw new RangeError('a tile has too few hashes');
    return hashOfRun(hashes, at, count);
  }

  return async (nodes) => {
    const found: Buffer[] = [];
    // One after the other: a database session takes one statement at a time.
    for (const node of nodes) found.push(await hashOf(node));
    return found;
  };
}

/** Computes the hash of the perfect subtree over `count` hashes of a tile, a power of two. */
export function hashOfRun(hashes: Uint8Array, at: number, count: number): Buffer {
  if (count === 1) return Buffer.from(hashes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES));
  const half = count / 2;
  return joinHashes([hashOfRun(hashes, at, half), hashOfRun(hashes, at + half, half)]);
}

/** Bytes that the length of an entry takes in a bundle. */
const LENGTH_BYTES = 2;

/** Encodes an entry bundle: for each entry `u16 length ‖ bytes`, big-endian. */
export function encodeBundle(entries: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    entries.flatMap((entry) => {
      const length = Buffer.alloc(LENGTH_BYTES);
      length.writeUInt16BE(entry.length);
      return [length, entry];
    }),
  );
}

/** Reads an entry bundle. Returns undefined if the last entry is cut off. */
export function parseBundle(bundle: Buffer): Buffer[] | undefined {
  const entries: Buffer[] = [];
  for (let at = 0; at < bundle.length; ) {
    if (at + LENGTH_BYTES > bundle.length) return undefined;
    const end = at + LENGTH_BYTES + bundle.readUInt16BE(at);
    if (end > bundle.length) return undefined;
    entries.push(bundle.subarray(at + LENGTH_BYTES, end));
    at = end;
  }
  return entries;
}
