import {
  commitment,
  createFrontier,
  encodeEntry,
  leafHash,
  parseAttributes,
  parseVerifierKey,
  TILE_HEIGHT,
  TILE_WIDTH,
} from '../../merkle/index.js';
import { byteaArray, int2Array, int8Array, loadSql, type Pool } from '../../platform/postgres/index.js';
import type { Found } from './found.js';
import { createOrderCheck, isOrder } from './orders.pg.js';
import type { WantedRoot } from './signed-roots.js';

const ENTRIES = loadSql(import.meta.url, 'entries.sql');
// Returns the tiles that are missing or have another hash.
const OTHER_TILES = `
SELECT w.level, w.n, t.hash IS NULL AS missing
FROM unnest($2::smallint[], $3::bigint[], $4::bytea[]) AS w (level, n, hash)
LEFT JOIN tree_tile t ON t.tenant = $1 AND t.level = w.level AND t.n = w.n
WHERE t.hash IS DISTINCT FROM w.hash ORDER BY w.level, w.n`;
const NEVER_ERASED = `
SELECT e.ix FROM entry e
WHERE e.tenant = $1 AND e.ix < $2 AND NOT EXISTS (SELECT FROM payload p WHERE p.tenant = $1 AND p.ix = e.ix)
  AND NOT EXISTS (SELECT FROM dedupe d WHERE d.tenant = $1 AND d.ix = e.ix AND d.hash IS NOT NULL)
ORDER BY e.ix LIMIT 1`;

/** Bounds of one read. */
const BATCH_ENTRIES = 8_192n;
const BATCH_BYTES = 16 * 1024 * 1024;

const ATTRIBUTE = /^ce_/;
const CONTINUED = 'ledger.continued';
const KEY_CHANGED = 'log-key.changed';

interface Row {
  readonly ix: string;
  readonly arrival: string;
  readonly type: string;
  readonly source: string;
  readonly commitment: Buffer;
  readonly leaf_hash: Buffer;
  readonly mode: string | null;
  readonly salt: Buffer;
  readonly attributes: Buffer;
  readonly bytes: Buffer;
}

export interface WalkOptions {
  readonly pool: Pool;
  readonly tenant: string;
  /** Entries that there must be. */
  readonly entries: bigint;
  /** Entries under the stored tree: tiles are compared up to there. */
  readonly treeSize: bigint;
  readonly outbox: bigint;
  readonly roots: readonly WantedRoot[];
  readonly found: Found;
  readonly onEntries: (count: number) => void;
}

export interface Walked {
  /** Entries without a payload. */
  readonly erased: number;
  readonly tiles: number;
  /** Rules that entries tell. */
  readonly orders: number;
  readonly lastArrival: bigint;
  /** Entries that say that the ledger was continued under a new incarnation. */
  readonly continued: number;
  readonly keyChanges: readonly KeyChange[];
  /** Whether every entry is there and as its leaf hash says. */
  readonly isSound: boolean;
  /** Entries of each source of events, by the name of their type, as `<source> <name>`. */
  readonly events: ReadonlyMap<string, number>;
}

/** An entry that says that the key of the ledger was changed. */
export interface KeyChange {
  readonly ix: bigint;
  /** The new key; undefined if the payload is not one of such an entry. */
  readonly key: Buffer | undefined;
}

/** Reads a ledger from its first entry to its last, and recomputes what the rows must be. */
export async function walkLedger(options: WalkOptions): Promise<Walked> {
  const { pool, tenant, entries, treeSize, found, onEntries } = options;
  const frontier = createFrontier(0n, []);
  const wanted = [...options.roots].sort((one, other) => (one.size < other.size ? -1 : one.size > other.size ? 1 : 0));
  const orders = createOrderCheck(pool, tenant, found);
  const events = new Map<string, number>();
  const keyChanges: KeyChange[] = [];
  let [erased, tiles, continued, lastArrival, next] = [0, 0, 0, 0n, 0n];
  // A wrong entry gives wrong tiles and roots: it is named, they are not.
  let isSound = true;

  const checkRoots = (): void => {
    for (; wanted[0] !== undefined && wanted[0].size <= frontier.size; wanted.shift()) {
      const [{ kind, place, size, root }] = wanted as [WantedRoot];
      if (size === frontier.size && !root.equals(frontier.root()))
        found.add(kind, place, `its root is not that of the first ${size} entries`);
    }
  };
  const wrongEntry = (ix: bigint, problem: string): void => {
    isSound = false;
    found.add('entry', `entry ${ix}`, problem);
  };

  checkRoots();
  while (next < entries) {
    const to = next + BATCH_ENTRIES < entries ? next + BATCH_ENTRIES : entries;
    const { rows } = await pool.query<Row>(ENTRIES, [tenant, String(next), String(to), BATCH_BYTES]);
    const grown: { level: number; n: bigint; hash: Buffer }[] = [];
    const told: { ix: bigint; bytes: Buffer | undefined }[] = [];
    for (const row of rows) {
      const ix = BigInt(row.ix);
      if (ix !== next) wrongEntry(next, 'is missing');
      next = ix + 1n;
      const problem = problemOfEntry(row, lastArrival);
      lastArrival = BigInt(row.arrival);
      if (problem === undefined) {
        if (row.mode === null) erased += 1;
        else checkPayload(row, tenant, found);
      } else wrongEntry(ix, problem);
      if (isOrder(row, tenant)) told.push({ ix, bytes: row.mode === null ? undefined : row.bytes });
      if (row.source === tenant) {
        continued += nameOf(row.type) === CONTINUED ? 1 : 0;
        if (nameOf(row.type) === KEY_CHANGED) keyChanges.push({ ix, key: newKeyOf(row) });
      } else {
        const key = `${row.source} ${nameOf(row.type)}`;
        events.set(key, (events.get(key) ?? 0) + 1);
      }
      if (!isSound) continue;
      frontier.append(row.leaf_hash, (level, n, hash) => {
        if (level % TILE_HEIGHT === 0 && frontier.size < treeSize)
          grown.push({ level: level / TILE_HEIGHT - 1, n, hash });
      });
      checkRoots();
    }
    if (rows.length === 0) {
      wrongEntry(next, 'is missing');
      next = to;
    }
    await compareTiles(options, grown);
    tiles += grown.length;
    await orders.see(told);
    onEntries(rows.length);
  }
  await orders.end(options.outbox);
  if (erased > 0) await findNeverErased(options);
  return { erased, tiles, orders: orders.orders, continued, keyChanges, isSound, lastArrival, events };
}

/** Cuts `dev.rescind.` and the version off. */
const nameOf = (type: string): string => type.replace(/^dev\.rescind\./, '').replace(/\.v\d+$/, '');

function newKeyOf({ mode, bytes }: Row): Buffer | undefined {
  if (mode === null) return undefined;
  try {
    const { data } = JSON.parse(bytes.toString('utf8')) as { data: { to: string } };
    return parseVerifierKey(data.to)?.publicKey;
  } catch {
    return undefined;
  }
}

function problemOfEntry(row: Row, lastArrival: bigint): string | undefined {
  let encoded: Buffer;
  try {
    encoded = encodeEntry({
      index: BigInt(row.ix),
      arrivalMs: BigInt(row.arrival),
      type: row.type,
      source: row.source,
      commitment: row.commitment,
    });
  } catch (error) {
    return `cannot be encoded: ${(error as Error).message}`;
  }
  if (!leafHash(encoded).equals(row.leaf_hash)) return 'its leaf hash is not that of its columns';
  return BigInt(row.arrival) < lastArrival ? 'arrived before the entry in front of it' : undefined;
}

/** Compares a payload with the commitment of its entry, and its mode with what the commitment says of it. */
function checkPayload(row: Row, tenant: string, found: Found): void {
  const place = `payload ${row.ix}`;
  const attributes = parseAttributes(row.attributes);
  if (attributes === undefined || !commitment(row).equals(row.commitment))
    return found.add('payload', place, 'is not what its entry commits to');
  const isOwn = row.source === tenant;
  const isBinary = attributes.some(([name]) => ATTRIBUTE.test(name));
  if ((row.mode === 'own') !== isOwn || (row.mode === 'binary') !== isBinary)
    found.add('payload', place, `did not arrive in the mode ${row.mode}`);
}

async function compareTiles(
  { pool, tenant, found }: WalkOptions,
  grown: readonly { readonly level: number; readonly n: bigint; readonly hash: Buffer }[],
): Promise<void> {
  if (grown.length === 0) return;
  const { rows } = await pool.query<{ level: number; n: string; missing: boolean }>(OTHER_TILES, [
    tenant,
    int2Array(grown.map(({ level }) => level)),
    int8Array(grown.map(({ n }) => n)),
    byteaArray(grown.map(({ hash }) => hash)),
  ]);
  for (const { level, n, missing } of rows) {
    const width = BigInt(TILE_WIDTH) ** BigInt(level + 1);
    const [first, last] = [BigInt(n) * width, (BigInt(n) + 1n) * width - 1n];
    found.add(
      'tree_tile',
      `tree_tile ${level}/${n}`,
      missing ? 'is missing' : `is not the hash of the entries ${first} to ${last}`,
    );
  }
}

/** An erasure leaves the hash of the content beside the key of the event. A payload that is just gone has none. */
async function findNeverErased({ pool, tenant, entries, found }: WalkOptions): Promise<void> {
  const { rows } = await pool.query<{ ix: string }>(NEVER_ERASED, [tenant, String(entries)]);
  for (const { ix } of rows) found.add('payload', `payload ${ix}`, 'is missing, and no erasure deleted it');
}
