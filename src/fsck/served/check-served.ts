import {
  createNodeReader,
  formatVerifierKey,
  HASH_BYTES,
  leafHash,
  parseBundle,
  parseEntry,
  rootOf,
  TILE_WIDTH,
  tilePath,
  tileWidth,
  type Checkpoint,
  type VerifierKey,
} from '../../merkle/index.js';
import { createGrownTiles, type GrownTile } from '../grown-tiles.js';
import { FoundWrong, type Wrong } from '../wrong.js';
import { createPartReader, type ReadPart } from './part-reader.js';
import { readCheckpoints, type ServedCheckpoints } from './signed-checkpoint.js';
import { createBlame, type ReadHashes } from './tile-blame.js';

/** Pairs of bundle and tile that are fetched ahead. Memory grows by about a hundred kilobytes a pair. */
const PAIRS_AHEAD = 12;
/** Bytes of an entry in a bundle; the longest that Rescind writes has about 250. */
const MAX_ENTRY_BYTES = 1_024;

export interface CheckServedOptions {
  /** Prefix of the log, ending with a slash. */
  readonly url: string;
  /** The log's key as its owner knows it. Without one, the log says its key itself, and then only its consistency is checked. */
  readonly key?: VerifierKey | undefined;
  readonly bearer?: string | undefined;
  /** Keys of the witnesses whose cosignatures are checked. */
  readonly witnesses?: readonly VerifierKey[] | undefined;
  /** The longest that one answer may take, milliseconds; by default 30,000. */
  readonly timeoutMs?: number | undefined;
  readonly onProgress?: ((progress: { readonly done: bigint; readonly total: bigint }) => void) | undefined;
}

export interface ServedReport {
  readonly checkpoint: Checkpoint | undefined;
  /** Verifier keys that signed it. */
  readonly keys: readonly string[];
  readonly keyFrom: 'given' | 'log';
  /** Names of the given witnesses that cosigned the newest checkpoint that a witness cosigned, and its size. */
  readonly witnessed: { readonly size: bigint; readonly by: readonly string[] } | undefined;
  /** Entries and tiles of hashes that were recomputed. */
  readonly entries: bigint;
  readonly tiles: number;
  readonly wrong: Wrong | undefined;
}

/** Parts of a served log that the check does not look at. */
export const SERVED_NOT_COVERED: readonly string[] = [
  'payloads (a served log has their commitments alone)',
  'cosignatures of witnesses whose keys are not given, and checkpoints that somebody kept earlier',
  'earlier incarnations, which have addresses of their own',
  'entries behind the newest checkpoint',
];

/** Walks a served log (C2SP tlog-tiles) and recomputes each leaf, tile and the root. Ends at the first thing that is wrong. */
export async function checkServed(options: CheckServedOptions): Promise<ServedReport> {
  const { url, key, bearer, timeoutMs, witnesses = [] } = options;
  const ended = new AbortController();
  const read = createPartReader({ url, bearer, timeoutMs, signal: ended.signal });
  const walked = { entries: 0n, tiles: 0 };
  let found: ServedCheckpoints | undefined;
  let wrong: Wrong | undefined;
  try {
    found = await readCheckpoints(read, key, witnesses);
    await walk(found, read, walked, options.onProgress);
  } catch (error) {
    if (!(error instanceof FoundWrong)) throw error;
    wrong = { place: error.place, problem: error.problem };
  } finally {
    ended.abort();
  }
  const { newest, witnessed } = found ?? {};
  return {
    checkpoint: newest && { origin: newest.origin, size: newest.size, root: newest.root },
    keys: newest?.signers.map(formatVerifierKey) ?? [],
    keyFrom: key === undefined ? 'log' : 'given',
    witnessed: witnessed && { size: witnessed.size, by: witnessed.cosigners.map(({ name }) => name) },
    ...walked,
    wrong,
  };
}

async function walk(
  { newest: checkpoint, witnessed }: ServedCheckpoints,
  read: ReadPart,
  walked: { entries: bigint; tiles: number },
  onProgress: CheckServedOptions['onProgress'],
): Promise<void> {
  const { size, root } = checkpoint;
  const readHashes = createHashReader(read);
  const blame = createBlame(checkpoint, readHashes);
  // A size without its right edge is refused before anything else is read.
  await rootOf(size, createNodeReader(size, readHashes));
  const grown = createGrownTiles();
  const compare = async (tile: GrownTile, served: Buffer): Promise<void> => {
    const wrong = await blame(tile, served);
    if (wrong) throw wrong;
    walked.tiles += 1;
  };
  const compareUpper = async (tiles: readonly GrownTile[]): Promise<void> => {
    for (const tile of tiles)
      if (tile.level > 0)
        await compare(tile, await readHashes({ level: tile.level, n: tile.n, width: tile.hashes.length / HASH_BYTES }));
  };
  // Named last: a part that both checkpoints contradict is named by its path.
  let isOther = false;
  const checkWitnessed = (): void => {
    if (witnessed?.size === walked.entries) isOther = !grown.root().equals(witnessed.root);
  };
  checkWitnessed();
  let arrivalMs = 0n;
  for await (const { n, bundle, served } of pairs(size, read, readHashes)) {
    const path = tilePath({ level: 'entries', n, width: served.length / HASH_BYTES });
    const hashes: Buffer[] = [];
    for (const { bytes, arrival } of entriesOf(path, bundle, n, served.length / HASH_BYTES)) {
      if (arrival < arrivalMs) throw new FoundWrong(path, 'its entries do not stand in the order of their arrival');
      arrivalMs = arrival;
      hashes.push(leafHash(bytes));
    }
    await compare({ level: 0, n, hashes: Buffer.concat(hashes) }, served);
    for (const hash of hashes) {
      grown.append(hash);
      walked.entries += 1n;
      checkWitnessed();
    }
    await compareUpper(grown.takeFull());
    onProgress?.({ done: walked.entries, total: size });
  }
  await compareUpper(grown.partial());
  if (!grown.root().equals(root)) throw new FoundWrong('checkpoint', `its root is not that of the ${size} entries`);
  if (isOther)
    throw new FoundWrong('checkpoint.witnessed', `its root is not that of the first ${witnessed?.size} entries`);
}

const createHashReader =
  (read: ReadPart): ReadHashes =>
  async (tile) => {
    const path = tilePath(tile);
    const bytes = tile.width * HASH_BYTES;
    const hashes = await read(path, bytes);
    if (hashes.length !== bytes) throw new FoundWrong(path, `has ${hashes.length} bytes and not ${bytes}`);
    return hashes;
  };

interface Pair {
  readonly n: bigint;
  readonly bundle: Buffer;
  /** Hashes of the tile on level 0. */
  readonly served: Buffer;
}

/** Reads bundles and their tiles in order, some ahead. */
async function* pairs(size: bigint, read: ReadPart, readHashes: ReadHashes): AsyncGenerator<Pair> {
  const count = (size + BigInt(TILE_WIDTH) - 1n) / BigInt(TILE_WIDTH);
  const waiting: Promise<Pair>[] = [];
  const start = async (n: bigint): Promise<Pair> => {
    const width = tileWidth({ level: 0, n }, size);
    const [bundle, served] = await Promise.all([
      read(tilePath({ level: 'entries', n, width }), width * MAX_ENTRY_BYTES),
      readHashes({ level: 0, n, width }),
    ]);
    return { n, bundle, served };
  };
  for (let n = 0n; n < count || waiting.length > 0; ) {
    for (; n < count && waiting.length < PAIRS_AHEAD; n += 1n) {
      const pair = start(n);
      // A pair may fail while an earlier one is waited for.
      pair.catch(() => undefined);
      waiting.push(pair);
    }
    yield await waiting.shift()!;
  }
}

/** Reads the entries of a bundle. Throws `FoundWrong` unless it holds `width` entries, each at its index. */
function entriesOf(path: string, bundle: Buffer, n: bigint, width: number): { bytes: Buffer; arrival: bigint }[] {
  const entries = parseBundle(bundle);
  if (entries === undefined) throw new FoundWrong(path, 'its last entry is cut off');
  if (entries.length !== width) throw new FoundWrong(path, `has ${entries.length} entries and not ${width}`);
  return entries.map((bytes, nth) => {
    const index = n * BigInt(TILE_WIDTH) + BigInt(nth);
    const entry = parseEntry(bytes);
    if (entry === undefined) throw new FoundWrong(path, `entry ${index} is no entry of a ledger`);
    if (entry.index !== index) throw new FoundWrong(path, `the entry at ${index} says that it is entry ${entry.index}`);
    return { bytes, arrival: entry.arrivalMs };
  });
}
