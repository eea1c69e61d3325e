import { Buffer } from 'node:buffer';
import { sha256 } from '../sha256.js';

export const HASH_BYTES = 32;

/** Root of a tree without leaves (RFC 6962, section 2.1). */
export const EMPTY_ROOT: Buffer = sha256(Buffer.alloc(0));

/** Prefix of an inner node, which keeps a node from passing for a leaf (RFC 6962, section 2.1). */
const NODE_PREFIX = 1;

const input = Buffer.alloc(1 + 2 * HASH_BYTES, NODE_PREFIX);

export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  input.set(left, 1);
  input.set(right, 1 + HASH_BYTES);
  return sha256(input);
}

/** A perfect subtree: 2^level leaves, from `index` × 2^level on. */
export interface Node {
  readonly level: number;
  readonly index: bigint;
}

/** Leaves from `from` to before `to`. */
export interface LeafRange {
  readonly from: bigint;
  readonly to: bigint;
}

/** The largest power of two below `size`, where a tree of `size` > 1 leaves is split. */
export const splitOf = (size: bigint): bigint => 1n << BigInt(bitLength(size - 1n) - 1);

/**
 * Lists the perfect subtrees that make up a range, from left to right. `from` must be a multiple of the largest of them, as it is for
 * every subtree of a tree; otherwise throws `TypeError`.
 */
export function cover({ from, to }: LeafRange): Node[] {
  const nodes: Node[] = [];
  for (let at = from; at < to; ) {
    const level = bitLength(to - at) - 1;
    if (at % (1n << BigInt(level)) !== 0n) throw new TypeError('the range is not a subtree');
    nodes.push({ level, index: at >> BigInt(level) });
    at += 1n << BigInt(level);
  }
  return nodes;
}

/** Joins the hashes of perfect subtrees, from left to right, to the hash of the whole. */
export function joinHashes(hashes: readonly Uint8Array[]): Buffer {
  if (hashes.length === 0) return EMPTY_ROOT;
  return hashes.reduceRight<Buffer | undefined>(
    (right, left) => (right === undefined ? Buffer.from(left) : nodeHash(left, right)),
    undefined,
  )!;
}

export const bitLength = (value: bigint): number => (value === 0n ? 0 : value.toString(2).length);
