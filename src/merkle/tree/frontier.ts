import type { Buffer } from 'node:buffer';
import { cover, joinHashes, nodeHash, type Node } from './nodes.js';

/** The right edge of a tree: the hashes of its perfect subtrees, one a bit of its size. It grows by one leaf at a time. */
export interface Frontier {
  readonly size: bigint;
  root(): Buffer;
  /** Hashes of {@link frontierNodes}, in their order. */
  hashes(): readonly Uint8Array[];
  /** Adds a leaf. Calls `onNode` for each perfect subtree of more than one leaf that it completes, the smallest first. */
  append(leafHash: Uint8Array, onNode?: (level: number, index: bigint, hash: Buffer) => void): void;
}

/** Lists the subtrees whose hashes {@link createFrontier} needs for a tree of `size` leaves. */
export const frontierNodes = (size: bigint): readonly Node[] => cover({ from: 0n, to: size });

/** `hashes`: of {@link frontierNodes}, in their order. */
export function createFrontier(size: bigint, hashes: readonly Uint8Array[]): Frontier {
  const stack = [...hashes];
  let leaves = size;
  if (stack.length !== frontierNodes(size).length) throw new TypeError('a frontier has one hash a bit of the size');
  return {
    get size() {
      return leaves;
    },
    root: () => joinHashes(stack),
    hashes: () => [...stack],
    append(leafHash, onNode) {
      let hash: Uint8Array = leafHash;
      let index = leaves;
      for (let level = 1; (index & 1n) === 1n; level += 1) {
        const joined = nodeHash(stack.pop()!, hash);
        index >>= 1n;
        onNode?.(level, index, joined);
        hash = joined;
      }
      stack.push(hash);
      leaves += 1n;
    },
  };
}
