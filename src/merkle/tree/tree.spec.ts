import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import {
  createFrontier,
  createNodeReader,
  EMPTY_ROOT,
  encodeBundle,
  frontierNodes,
  leafHash,
  nodeHash,
  parseBundle,
  parseTilePath,
  proveConsistency,
  proveInclusion,
  rootOf,
  tilePath,
  tileWidth,
  verifyConsistency,
  verifyInclusion,
  type ReadTile,
} from '../index.js';

interface Vectors {
  leaves: string[];
  roots: string[];
  inclusion: { index: number; size: number; path: string[] }[];
  consistency: { older: number; newer: number; proof: string[] }[];
  names: Record<string, string>;
  bundle: string;
  tile_sha256: string;
  node_of_n123_n456: string;
  leaf_of_l123456: string;
}
const vectors = JSON.parse(readFileSync(new URL('./rfc6962-vectors.json', import.meta.url), 'utf8')) as Vectors;
const hex = (text: string) => Buffer.from(text, 'hex');

/** The tree of RFC 6962 as its text defines it, by recursion over the leaves. */
function naiveRoot(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return createHash('sha256').digest();
  if (leaves.length === 1) return leaves[0]!;
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return createHash('sha256')
    .update(Buffer.from([1]))
    .update(naiveRoot(leaves.slice(0, split)))
    .update(naiveRoot(leaves.slice(split)))
    .digest();
}

/** Tiles made straight from the leaves. */
const tilesOf =
  (leaves: readonly Buffer[]): ReadTile =>
  async ({ level, n, width }) => {
    const step = 256 ** level;
    const first = Number(n) * 256;
    return Buffer.concat(
      Array.from({ length: width }, (_, at) => naiveRoot(leaves.slice((first + at) * step, (first + at + 1) * step))),
    );
  };

const MOST_LEAVES = 70_000;
const leaves = Array.from({ length: MOST_LEAVES }, (_, at) => leafHash(Buffer.from(`leaf ${at}`)));
const read = (size: number) => createNodeReader(BigInt(size), tilesOf(leaves.slice(0, size)));

describe('vectors of RFC 6962', () => {
  const hashes = vectors.leaves.map((leaf) => leafHash(hex(leaf)));
  const readVector = (size: number) => createNodeReader(BigInt(size), tilesOf(hashes.slice(0, size)));
  const named = (names: string[]) => names.map((name) => vectors.names[name]);
  const asHex = (path: readonly Buffer[]) => path.map((hash) => hash.toString('hex'));

  it('the empty tree, a leaf, a node', () => {
    expect(EMPTY_ROOT.toString('hex')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(leafHash(Buffer.from('L123456')).toString('hex')).toBe(vectors.leaf_of_l123456);
    expect(naiveRoot([Buffer.from('N123'), Buffer.from('N456')]).toString('hex')).toBe(vectors.node_of_n123_n456);
    expect(nodeHash(hex(vectors.names['L0']!), hex(vectors.names['L1']!)).toString('hex')).toBe(vectors.names['N01']);
  });

  it('the root of each size', async () => {
    const roots = await Promise.all(vectors.roots.map((_, at) => rootOf(BigInt(at + 1), readVector(at + 1))));
    expect(asHex(roots)).toEqual(vectors.roots);
  });

  it.each(vectors.inclusion)('inclusion of $index in $size', async ({ index, size, path }) => {
    const made = await proveInclusion(BigInt(index), BigInt(size), readVector(size));
    expect(asHex(made)).toEqual(named(path));
    const proof = { index: BigInt(index), size: BigInt(size), leafHash: hashes[index]!, path: made };
    expect(verifyInclusion({ ...proof, root: hex(vectors.roots[size - 1]!) })).toBe(true);
  });

  it.each(vectors.consistency)('consistency of $older and $newer', async ({ older, newer, proof }) => {
    const made = await proveConsistency(BigInt(older), BigInt(newer), readVector(newer));
    expect(asHex(made)).toEqual(named(proof));
    const head = (size: number) => ({ size: BigInt(size), root: hex(vectors.roots[size - 1]!) });
    expect(verifyConsistency(head(older), head(newer), made)).toBe(true);
  });

  it('a bundle and a tile', async () => {
    const bundle = encodeBundle(vectors.leaves.map(hex));
    expect(bundle.toString('hex')).toBe(vectors.bundle);
    expect(parseBundle(bundle)?.map((entry) => entry.toString('hex'))).toEqual(vectors.leaves);
    expect(parseBundle(bundle.subarray(0, -1))).toBeUndefined();
    expect(parseBundle(Buffer.concat([bundle, Buffer.from([0])]))).toBeUndefined();
    const tile = await tilesOf(hashes)({ level: 0, n: 0n, width: 8 });
    expect(createHash('sha256').update(tile).digest('hex')).toBe(vectors.tile_sha256);
  });
});

describe('against a naive tree', () => {
  it('every size to 600: root, and a frontier that grows leaf by leaf', async () => {
    const grown = createFrontier(0n, []);
    for (let size = 0; size <= 600; size += 1) {
      const root = naiveRoot(leaves.slice(0, size));
      expect(grown.root()).toEqual(root);
      expect(await rootOf(BigInt(size), read(size))).toEqual(root);
      const resumed = createFrontier(BigInt(size), await read(size)(frontierNodes(BigInt(size))));
      resumed.append(leaves[size]!);
      grown.append(leaves[size]!);
      expect(resumed.root()).toEqual(grown.root());
    }
  });

  it('every leaf and every older tree of every size to 70', async () => {
    for (let size = 1; size <= 70; size += 1) {
      const root = naiveRoot(leaves.slice(0, size));
      for (let at = 0; at < size; at += 1) {
        const path = await proveInclusion(BigInt(at), BigInt(size), read(size));
        expect(verifyInclusion({ index: BigInt(at), size: BigInt(size), leafHash: leaves[at]!, path, root })).toBe(
          true,
        );
        const older = { size: BigInt(at), root: naiveRoot(leaves.slice(0, at)) };
        const proof = await proveConsistency(BigInt(at), BigInt(size), read(size));
        expect(verifyConsistency(older, { size: BigInt(size), root }, proof)).toBe(true);
      }
    }
  });

  it('random sizes to 70,000', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: MOST_LEAVES }), fc.nat(), fc.nat(), async (size, some, other) => {
        const root = naiveRoot(leaves.slice(0, size));
        const index = some % size;
        const path = await proveInclusion(BigInt(index), BigInt(size), read(size));
        const proof = { index: BigInt(index), size: BigInt(size), leafHash: leaves[index]!, path, root };
        expect(verifyInclusion(proof)).toBe(true);
        const older = other % (size + 1);
        const head = { size: BigInt(older), root: naiveRoot(leaves.slice(0, older)) };
        const steps = await proveConsistency(head.size, BigInt(size), read(size));
        expect(verifyConsistency(head, { size: BigInt(size), root }, steps)).toBe(true);
      }),
      { numRuns: 25 },
    );
  });

  it('the completed subtrees that a growing frontier reports', () => {
    const frontier = createFrontier(0n, []);
    const nodes: [string, Buffer][] = [];
    for (const leaf of leaves.slice(0, 600))
      frontier.append(leaf, (level, index, hash) => nodes.push([`${level}/${index}`, hash]));
    expect(nodes).toHaveLength(600 - 4);
    for (const [name, hash] of nodes) {
      const [level, index] = name.split('/').map(Number) as [number, number];
      expect(hash).toEqual(naiveRoot(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level)));
    }
  });
});

describe('a wrong proof', () => {
  const size = 37;
  const root = naiveRoot(leaves.slice(0, size));
  const flip = (hash: Uint8Array) => Buffer.from(hash.map((byte, at) => (at === 7 ? byte ^ 1 : byte)));

  it('another leaf, index, size, root, or a changed, missing or further hash', async () => {
    const path = await proveInclusion(20n, BigInt(size), read(size));
    const right = { index: 20n, size: BigInt(size), leafHash: leaves[20]!, path, root };
    expect(verifyInclusion(right)).toBe(true);
    const wrong = [
      { ...right, leafHash: leaves[21]! },
      { ...right, index: 21n },
      { ...right, index: -1n },
      { ...right, index: BigInt(size) },
      { ...right, size: 20n },
      { ...right, root: flip(root) },
      { ...right, path: path.slice(1) },
      { ...right, path: [...path, path[0]!] },
      { ...right, path: path.map((hash, at) => (at === 2 ? hash.subarray(1) : hash)) },
      ...path.map((_, at) => ({ ...right, path: path.map((hash, other) => (at === other ? flip(hash) : hash)) })),
    ];
    for (const proof of wrong) expect(verifyInclusion(proof)).toBe(false);
  });

  it('of consistency', async () => {
    const older = { size: 21n, root: naiveRoot(leaves.slice(0, 21)) };
    const newer = { size: BigInt(size), root };
    const proof = await proveConsistency(older.size, newer.size, read(size));
    expect(verifyConsistency(older, newer, proof)).toBe(true);
    expect(verifyConsistency({ ...older, root: flip(older.root) }, newer, proof)).toBe(false);
    expect(verifyConsistency(older, { ...newer, root: flip(root) }, proof)).toBe(false);
    expect(verifyConsistency({ ...older, size: 22n }, newer, proof)).toBe(false);
    expect(verifyConsistency(newer, older, proof)).toBe(false);
    expect(verifyConsistency(older, newer, [])).toBe(false);
    expect(verifyConsistency(older, newer, [...proof, proof[0]!])).toBe(false);
    expect(verifyConsistency(older, older, proof)).toBe(false);
    expect(verifyConsistency(older, { size: older.size, root: flip(older.root) }, [])).toBe(false);
    expect(verifyConsistency({ size: 0n, root: older.root }, newer, [])).toBe(false);
    for (const at of proof.keys()) {
      const changed = proof.map((hash, other) => (at === other ? flip(hash) : hash));
      expect(verifyConsistency(older, newer, changed)).toBe(false);
    }
  });

  it('is not made of a leaf beyond the tree, or of a larger older tree', async () => {
    await expect(proveInclusion(37n, 37n, read(size))).rejects.toThrow(RangeError);
    await expect(proveConsistency(38n, 37n, read(size))).rejects.toThrow(RangeError);
  });
});

describe('tiles', () => {
  it.each([
    [0n, 'tile/0/000'],
    [67n, 'tile/0/067'],
    [999n, 'tile/0/999'],
    [1000n, 'tile/0/x001/000'],
    [1_000_000n, 'tile/0/x001/x000/000'],
    [1_234_067n, 'tile/0/x001/x234/067'],
  ])('tile %s is at %s', (n, path) => {
    expect(tilePath({ level: 0, n, width: 256 })).toBe(path);
    expect(parseTilePath(path)).toEqual({ level: 0, n, width: 256 });
    expect(tilePath({ level: 'entries', n, width: 3 })).toBe(`${path.replace('/0/', '/entries/')}.p/3`);
  });

  it.each([
    'tile/00/000',
    'tile/64/000',
    'tile/-1/000',
    'tile/0/00',
    'tile/0/0000',
    'tile/0/x000/000',
    'tile/0/x001',
    'tile/0/1000',
    'tile/0/000.p/0',
    'tile/0/000.p/256',
    'tile/0/000.p/07',
    'tile/0/../000',
    'tile/0/000/',
    'tile/0/%30%30%30',
    'tile/entries/000.p/',
    'tile/Entries/000',
    'checkpoint',
    '',
  ])('%s is no path of a tile', (path) => {
    expect(parseTilePath(path)).toBeUndefined();
  });

  it('parses only what it writes', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const tile = parseTilePath(`tile/0/${text}`);
        if (tile) expect(tilePath(tile)).toBe(`tile/0/${text}`);
      }),
    );
  });

  it('the widths of the sizes that the specification lists', () => {
    const widths = (size: bigint) =>
      [0, 1, 2].map((level) => [
        size >> BigInt(8 * (level + 1)),
        tileWidth({ level, n: size >> BigInt(8 * (level + 1)) }, size),
      ]);
    expect(widths(8n)).toEqual([
      [0n, 8],
      [0n, 0],
      [0n, 0],
    ]);
    expect(widths(257n)).toEqual([
      [1n, 1],
      [0n, 1],
      [0n, 0],
    ]);
    expect(widths(70_000n)).toEqual([
      [273n, 112],
      [1n, 17],
      [0n, 1],
    ]);
  });

  it('a reader refuses a tile that is too short', async () => {
    const short = createNodeReader(8n, async () => Buffer.alloc(7 * 32));
    await expect(rootOf(8n, short)).rejects.toThrow(RangeError);
  });
});
