import { Buffer } from 'node:buffer';
import { cover, HASH_BYTES, joinHashes, nodeHash, splitOf, type LeafRange, type Node } from './nodes.js';

/** Reads the hashes of perfect subtrees, in the order asked for. */
export type ReadNodes = (nodes: readonly Node[]) => Promise<readonly Uint8Array[]>;

/** Computes the root of the first `size` leaves. */
export const rootOf = async (size: bigint, readNodes: ReadNodes): Promise<Buffer> =>
  (await hashesOf([{ from: 0n, to: size }], readNodes))[0]!;

/**
 * Makes the inclusion path of leaf `index` in a tree of `size`: siblings from the leaf up (RFC 6962, section 2.1.1). Throws `RangeError` if
 * the tree has no such leaf.
 */
export async function proveInclusion(index: bigint, size: bigint, readNodes: ReadNodes): Promise<readonly Buffer[]> {
  if (index < 0n || index >= size) throw new RangeError('the tree has no such leaf');
  const siblings: LeafRange[] = [];
  let [from, to] = [0n, size];
  while (to - from > 1n) {
    const middle = from + splitOf(to - from);
    if (index < middle) {
      siblings.push({ from: middle, to });
      to = middle;
    } else {
      siblings.push({ from, to: middle });
      from = middle;
    }
  }
  return hashesOf(siblings.toReversed(), readNodes);
}

/**
 * Proves that a tree of `older` leaves is the beginning of one of `newer` (RFC 6962, section 2.1.2). Empty for equal sizes and for an
 * empty older tree. Throws `RangeError` if `older` is the larger one.
 */
export async function proveConsistency(older: bigint, newer: bigint, readNodes: ReadNodes): Promise<readonly Buffer[]> {
  if (older < 0n || older > newer) throw new RangeError('the older tree is larger than the newer one');
  if (older === 0n || older === newer) return [];
  const ranges: LeafRange[] = [];
  let [from, to] = [0n, newer];
  while (to !== older) {
    const middle = from + splitOf(to - from);
    if (older <= middle) {
      ranges.push({ from: middle, to });
      to = middle;
    } else {
      ranges.push({ from, to: middle });
      from = middle;
    }
  }
  // A checker knows the root of the older tree, so it is left out where it is a subtree of the newer one.
  if (from !== 0n) ranges.push({ from, to });
  return hashesOf(ranges.toReversed(), readNodes);
}

async function hashesOf(ranges: readonly LeafRange[], readNodes: ReadNodes): Promise<Buffer[]> {
  const covers = ranges.map(cover);
  const hashes = await readNodes(covers.flat());
  let at = 0;
  return covers.map(({ length }) => joinHashes(hashes.slice(at, (at += length))));
}

/** Checks an inclusion path (RFC 9162, section 2.1.3.2). */
export function verifyInclusion({
  index,
  size,
  leafHash,
  path,
  root,
}: {
  readonly index: bigint;
  readonly size: bigint;
  readonly leafHash: Uint8Array;
  readonly path: readonly Uint8Array[];
  readonly root: Uint8Array;
}): boolean {
  if (index < 0n || index >= size || !areHashes([leafHash, root, ...path])) return false;
  let fn = index;
  let sn = size - 1n;
  let hash: Uint8Array = leafHash;
  for (const sibling of path) {
    if (sn === 0n) return false;
    if (isOdd(fn) || fn === sn) {
      hash = nodeHash(sibling, hash);
      while (!isOdd(fn) && fn !== 0n) {
        fn >>= 1n;
        sn >>= 1n;
      }
    } else {
      hash = nodeHash(hash, sibling);
    }
    fn >>= 1n;
    sn >>= 1n;
  }
  return sn === 0n && isEqual(hash, root);
}

/** Size and root of a tree. */
export interface TreeHead {
  readonly size: bigint;
  readonly root: Uint8Array;
}

/** Checks that `older` is the beginning of `newer` (RFC 9162, section 2.1.4.2). */
export function verifyConsistency(older: TreeHead, newer: TreeHead, proof: readonly Uint8Array[]): boolean {
  if (older.size < 0n || older.size > newer.size || !areHashes([older.root, newer.root, ...proof])) return false;
  if (older.size === newer.size) return proof.length === 0 && isEqual(older.root, newer.root);
  if (older.size === 0n) return proof.length === 0 && isEqual(older.root, joinHashes([]));
  if (proof.length === 0) return false;
  const hashes = (older.size & (older.size - 1n)) === 0n ? [older.root, ...proof] : proof;
  let fn = older.size - 1n;
  let sn = newer.size - 1n;
  while (isOdd(fn)) {
    fn >>= 1n;
    sn >>= 1n;
  }
  let [olderHash, newerHash] = [hashes[0]!, hashes[0]!];
  for (const hash of hashes.slice(1)) {
    if (sn === 0n) return false;
    if (isOdd(fn) || fn === sn) {
      olderHash = nodeHash(hash, olderHash);
      newerHash = nodeHash(hash, newerHash);
      while (!isOdd(fn) && fn !== 0n) {
        fn >>= 1n;
        sn >>= 1n;
      }
    } else {
      newerHash = nodeHash(newerHash, hash);
    }
    fn >>= 1n;
    sn >>= 1n;
  }
  return sn === 0n && isEqual(olderHash, older.root) && isEqual(newerHash, newer.root);
}

const isOdd = (value: bigint) => (value & 1n) === 1n;
const isEqual = (left: Uint8Array, right: Uint8Array) => Buffer.compare(left, right) === 0;
const areHashes = (hashes: readonly Uint8Array[]) => hashes.every(({ length }) => length === HASH_BYTES);
