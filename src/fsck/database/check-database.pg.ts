import type { Pool } from '../../platform/postgres/index.js';
import { createFound, type Found, type WrongOfKind } from './found.js';
import { readMoment, tenantsOf, type LedgerMoment } from './head.pg.js';
import { foldersOf, readKeptFiles, readKeyFiles, type KeptFile } from './kept-files.js';
import { isSignedBy, readSignedRoot, type WantedRoot } from './signed-roots.js';
import { walkLedger, type Walked } from './walk.pg.js';

export interface CheckDatabaseOptions {
  readonly pool: Pool;
  /** Directory of the ledgers' keys and kept checkpoints. */
  readonly ledgerDir: string;
  /** This tenant alone. */
  readonly tenant?: string | undefined;
  /** A key that the ledger is known by; by default those that the database and the directory have. */
  readonly publicKey?: Buffer | undefined;
  readonly onProgress?: ((progress: { readonly done: bigint; readonly total: bigint }) => void) | undefined;
}

export interface LedgerReport {
  readonly tenant: string;
  readonly entries: bigint;
  readonly erased: number;
  readonly tiles: number;
  /** Signed checkpoints in the database and in files. */
  readonly checkpoints: number;
  readonly rules: number;
  /** The first wrong thing of each kind, in the order in which they were found. */
  readonly wrong: readonly WrongOfKind[];
}

/** Parts of a database that the check does not look at. */
export const DATABASE_NOT_COVERED: readonly string[] = [
  'settings, people, channels and findings',
  'quarantine, and positions in Kafka',
  'rows of projections, but for sums of events by source and the number of rules (`rescind rebuild` compares all rows)',
  'keys of deduplication, but for their number; times at which keys and checkpoints were stored',
  'checkpoints of earlier incarnations, but for their signatures; cosignatures of witnesses',
  'whether a body of events came alone, in a batch or in lines',
  'files of the archive (`rescind rebuild archive` compares them)',
];

/** Checks ledgers, trees, checkpoints, payloads and rules of a database against each other and against the files that were kept. */
export async function checkDatabase(options: CheckDatabaseOptions): Promise<readonly LedgerReport[]> {
  const { pool, ledgerDir, onProgress } = options;
  const known = options.tenant === undefined ? await tenantsOf(pool) : [options.tenant];
  const folders = options.tenant === undefined ? await foldersOf(ledgerDir) : [];
  const tenants = [...known, ...folders.filter((folder) => !known.includes(folder))];
  // Files first: a checkpoint is kept before the database moves on, so none of them may be ahead of what is read after.
  const kept = new Map<string, readonly KeptFile[]>();
  for (const tenant of tenants) kept.set(tenant, await readKeptFiles(ledgerDir, tenant));
  const moments = new Map<string, LedgerMoment>();
  for (const tenant of tenants) if (known.includes(tenant)) moments.set(tenant, await readMoment(pool, tenant));
  const total = [...moments.values()].reduce((sum, { head }) => sum + BigInt(head.next_ix ?? 0), 0n);
  let done = 0n;
  const reports: LedgerReport[] = [];
  for (const tenant of tenants) {
    const files = kept.get(tenant)!;
    const moment = moments.get(tenant);
    if (moment === undefined) {
      // A folder that holds no checkpoint is of something else.
      if (files.length > 0) reports.push(foreign(tenant, files));
      continue;
    }
    reports.push(
      await checkLedger({ ...options, tenant }, moment, files, (count) => {
        done += BigInt(count);
        onProgress?.({ done, total });
      }),
    );
  }
  return reports;
}

function foreign(tenant: string, files: readonly KeptFile[]): LedgerReport {
  const found = createFound();
  found.add('file', files.at(-1)!.path, 'keeps a checkpoint of a ledger that the database does not have');
  return { tenant, entries: 0n, erased: 0, tiles: 0, checkpoints: files.length, rules: 0, wrong: found.list() };
}

async function checkLedger(
  { pool, ledgerDir, tenant, publicKey }: CheckDatabaseOptions & { readonly tenant: string },
  moment: LedgerMoment,
  files: readonly KeptFile[],
  onEntries: (count: number) => void,
): Promise<LedgerReport> {
  const found = createFound();
  const { head } = moment;
  const entries = BigInt(head.next_ix ?? 0);
  const treeSize = BigInt(head.size ?? 0);
  if (head.next_ix === null) found.add('ledger_head', 'ledger_head', 'has no row for this tenant');
  if (head.size === null && moment.checkpoints.length > 0)
    found.add('tree_head', 'tree_head', 'has no row for this tenant');
  const keys = publicKey === undefined ? await keysOf(ledgerDir, tenant, moment, files, found) : [publicKey];
  const roots = rootsOf(tenant, moment, files, keys, found);
  const reachable = roots.filter(({ kind, place, size }) => {
    if (size <= entries && (kind === 'tree_head' || size <= treeSize)) return true;
    found.add(
      kind,
      place,
      `covers ${size} entries, and the ledger has ${entries} and ${treeSize} in its tree: an old backup was restored, or entries are gone`,
    );
    return false;
  });
  await checkNewestKept(ledgerDir, tenant, moment, files, found);
  const outbox = BigInt(head.outbox);
  const walked = await walkLedger({ pool, tenant, entries, treeSize, outbox, roots: reachable, found, onEntries });
  if (head.incarnation !== null && head.incarnation > 1 && walked.continued === 0)
    found.add(
      'tree_head',
      'tree_head',
      `is of incarnation ${head.incarnation}, and no entry says that the ledger was continued`,
    );
  checkBounds(moment, entries, found);
  // A wrong entry gives wrong sums: it is named, they are not.
  if (walked.isSound) {
    checkKeys(moment, walked, found);
    checkSums(moment, entries, walked, found);
  }
  return {
    tenant,
    entries,
    erased: walked.erased,
    tiles: walked.tiles,
    checkpoints: moment.checkpoints.length + files.length,
    rules: walked.orders,
    wrong: found.list(),
  };
}

/** Names rows beyond the end. They come last: a row whose index was changed is missed where it belongs. */
function checkBounds({ head }: LedgerMoment, entries: bigint, found: Found): void {
  const beyond = `lies beyond the ${entries} entries of ledger_head`;
  if (head.entry_beyond !== null) found.add('entry', `entry ${head.entry_beyond}`, beyond);
  if (head.payload_beyond !== null) found.add('payload', `payload ${head.payload_beyond}`, beyond);
  if (head.tile_beyond !== null)
    found.add('tree_tile', `tree_tile ${head.tile_beyond}`, `lies beyond the ${head.size ?? 0} entries of tree_head`);
}

/**
 * Keys that the ledger may be signed by. The directory's own keys count even if the database lost its list. One that is not listed may belong to a
 * rotation that was cut off, if it signed nothing.
 */
async function keysOf(
  ledgerDir: string,
  tenant: string,
  { keys, checkpoints }: LedgerMoment,
  files: readonly KeptFile[],
  found: Found,
): Promise<readonly Buffer[]> {
  const own: Buffer[] = [];
  for (const { path, publicKey } of await readKeyFiles(ledgerDir, tenant)) {
    if (publicKey === undefined) {
      found.add('file', path, 'is no Ed25519 key');
      continue;
    }
    own.push(publicKey);
    if (keys.length === 0 || keys.some((key) => key.equals(publicKey))) continue;
    if ([...checkpoints, ...files].some(({ note }) => isSignedBy(note, publicKey)))
      found.add('ledger_key', 'ledger_key', `does not list the key in ${path}, which signed a checkpoint`);
  }
  return [...keys, ...own];
}

/** Compares the list of keys with what entries tell: each key but the first came with a rotation. */
function checkKeys({ keys }: LedgerMoment, { keyChanges }: Walked, found: Found): void {
  const lost = keyChanges.find(({ key }) => key && !keys.some((listed) => listed.equals(key)));
  if (lost !== undefined)
    found.add('ledger_key', 'ledger_key', `does not list the key that signs since entry ${lost.ix}`);
  else if (keys.length > 1 + keyChanges.length)
    found.add('ledger_key', 'ledger_key', `lists ${keys.length} keys, and entries tell ${keyChanges.length} changes`);
}

/** Gathers the roots that sizes of the tree must have, and checks signatures. */
function rootsOf(
  tenant: string,
  { head, checkpoints }: LedgerMoment,
  files: readonly KeptFile[],
  keys: readonly Buffer[],
  found: Found,
): readonly WantedRoot[] {
  const roots: WantedRoot[] = [];
  const incarnation = head.incarnation ?? 1;
  if (head.size !== null && head.root !== null)
    roots.push({ kind: 'tree_head', place: 'tree_head', size: BigInt(head.size), root: head.root });
  const signed = (
    kind: 'ledger_checkpoint' | 'file',
    place: string,
    note: string,
    said: { readonly incarnation: number; readonly size: bigint },
  ): void => {
    const root = readSignedRoot(note, { tenant, ...said }, keys);
    if (typeof root === 'string') found.add(kind, place, root);
    else if (said.incarnation > incarnation)
      found.add(
        kind,
        place,
        `is of incarnation ${said.incarnation}, and the ledger of ${incarnation}: an old backup was restored`,
      );
    // `rescind ledger continue` says where an earlier incarnation ended; its last checkpoints may cover what was lost.
    else if (said.incarnation === incarnation) roots.push({ kind, place, size: said.size, root });
  };
  for (const { incarnation: nth, size, note, witnessed_size, witnessed_note } of checkpoints) {
    const place = `ledger_checkpoint ${nth}`;
    signed('ledger_checkpoint', place, note, { incarnation: nth, size: BigInt(size) });
    if (witnessed_size !== null && witnessed_note !== null)
      signed('ledger_checkpoint', `${place} (witnessed)`, witnessed_note, {
        incarnation: nth,
        size: BigInt(witnessed_size),
      });
  }
  for (const { path, note, ...said } of files) signed('file', path, note, said);
  return roots;
}

/** Looks for the file of the newest checkpoint: it is kept before the checkpoint is stored. */
async function checkNewestKept(
  ledgerDir: string,
  tenant: string,
  { checkpoints }: LedgerMoment,
  files: readonly KeptFile[],
  found: Found,
): Promise<void> {
  const newest = checkpoints.at(-1);
  if (newest === undefined) return;
  const isKept = (kept: readonly KeptFile[]): boolean =>
    kept.some(
      ({ incarnation, size }) =>
        incarnation > newest.incarnation || (incarnation === newest.incarnation && size >= BigInt(newest.size)),
    );
  // The checkpoint may be younger than the list of files.
  if (isKept(files) || isKept(await readKeptFiles(ledgerDir, tenant))) return;
  found.add('file', `${ledgerDir}/${tenant}`, `keeps no checkpoint of ${newest.size} entries, which was published`);
}

/** Compares sums that the database keeps with those of the walk. */
function checkSums({ head, counts }: LedgerMoment, entries: bigint, walked: Walked, found: Found): void {
  if (entries > 0n && BigInt(head.last_arrival ?? 0) !== walked.lastArrival)
    found.add('ledger_head', 'ledger_head', `its last arrival is not that of entry ${entries - 1n}`);
  if ((head.last_entity ?? 0) >= (head.next_entity ?? 1))
    found.add(
      'ledger_head',
      'ledger_head',
      `gives the id ${head.next_entity} to an entity, and ${head.last_entity} is taken`,
    );
  if (BigInt(head.keys) !== entries)
    found.add('projection', 'dedupe', `has ${head.keys} keys of events, and there are ${entries} entries`);
  if (BigInt(head.rules) !== BigInt(walked.orders))
    found.add('projection', 'rule_version', `has ${head.rules} rules, and entries tell ${walked.orders}`);
  const left = new Map(walked.events);
  for (const { source, what, n } of counts) {
    const key = `${source} ${what}`;
    const seen = left.get(key) ?? 0;
    left.delete(key);
    if (BigInt(n) !== BigInt(seen))
      found.add('projection', 'source_count', `counts ${n} events ${what} of ${source}, and there are ${seen} entries`);
  }
  for (const [key, seen] of left)
    found.add('projection', 'source_count', `counts none of ${key}, and there are ${seen} entries`);
}
