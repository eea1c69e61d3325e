import type { VerifierKey } from '../../merkle/index.js';
import type { Pool } from '../../platform/postgres/index.js';
import { createFound, type Found, type WrongOfKind } from './found.js';
import { readMoment, tenantsOf, type LedgerMoment } from './head.pg.js';
import { checkContinuations, checkLost } from './incarnations.js';
import { foldersOf, readKeptNotes, readKeyFiles, type KeptNote, type NoteKeeper } from './kept-notes.js';
import { gatherRoots, type GatheredRoots } from './gather-roots.js';
import { isSignedBy, type WantedRoot } from './signed-roots.js';
import { walkLedger, type Walked } from './walk.pg.js';

export interface CheckDatabaseOptions {
  readonly pool: Pool;
  /** Directory of the ledgers' keys and kept checkpoints. */
  readonly ledgerDir: string;
  /** The topic that keeps checkpoints, too. */
  readonly topic?: NoteKeeper | undefined;
  /** Keys of the witnesses whose cosignatures are checked. */
  readonly witnesses?: readonly VerifierKey[] | undefined;
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
  /** Signed checkpoints in the database, in files and in further places. */
  readonly checkpoints: number;
  /** Cosignatures of the given witnesses that hold. */
  readonly cosignatures: number;
  readonly rules: number;
  readonly lifts: number;
  /** The first wrong thing of each kind, in the order in which they were found. */
  readonly wrong: readonly WrongOfKind[];
}

/** Parts of a database that the check does not look at. */
export const DATABASE_NOT_COVERED: readonly string[] = [
  'settings, people, channels and findings',
  'quarantine, and positions in Kafka',
  'rows of projections, but for sums of events by source and the number of rules (`rescind rebuild` compares all rows)',
  'keys of deduplication, but for the entries that they belong to; hashes of erased content',
  'texts of what stands for an event since an erasure, but for rules; rules that differ from their entries while a person is being erased',
  'times at which keys and checkpoints were stored; ranges of indexes, which are made when they are missing',
  'cosignatures of witnesses that the policy file does not name',
  'checkpoints of an earlier incarnation that cover what was lost, but for their signature and for the size at which it ended',
  'control records of tenants, sources and callers',
  'whether JSON without a more exact content type came alone or in a batch',
  'files of the archive (`rescind rebuild archive` compares them)',
];

/** Checks ledgers, trees, checkpoints, payloads and rules of a database against each other and against what was kept outside it. */
export async function checkDatabase(options: CheckDatabaseOptions): Promise<readonly LedgerReport[]> {
  const { pool, ledgerDir, onProgress } = options;
  const known = options.tenant === undefined ? await tenantsOf(pool) : [options.tenant];
  const folders = options.tenant === undefined ? await foldersOf(ledgerDir) : [];
  const tenants = [...known, ...folders.filter((folder) => !known.includes(folder))];
  // Notes first: a checkpoint is kept before the database moves on, so none of them may be ahead of what is read after.
  const kept = new Map<string, readonly KeptNote[]>();
  for (const tenant of tenants) kept.set(tenant, await readKept(options, tenant));
  const moments = new Map<string, LedgerMoment>();
  for (const tenant of tenants) if (known.includes(tenant)) moments.set(tenant, await readMoment(pool, tenant));
  const total = [...moments.values()].reduce((sum, { head }) => sum + BigInt(head.next_ix ?? 0), 0n);
  let done = 0n;
  const reports: LedgerReport[] = [];
  for (const tenant of tenants) {
    const notes = kept.get(tenant)!;
    const moment = moments.get(tenant);
    if (moment === undefined) {
      // A folder that holds no checkpoint is of something else.
      if (notes.length > 0) reports.push(foreign(tenant, notes));
      continue;
    }
    reports.push(
      await checkLedger({ ...options, tenant }, moment, notes, (count) => {
        done += BigInt(count);
        onProgress?.({ done, total });
      }),
    );
  }
  return reports;
}

const readKept = ({ ledgerDir, topic }: CheckDatabaseOptions, tenant: string): Promise<readonly KeptNote[]> =>
  readKeptNotes(ledgerDir, topic, tenant);

function foreign(tenant: string, notes: readonly KeptNote[]): LedgerReport {
  const found = createFound();
  const { kind, place } = notes.at(-1)!;
  found.add(kind, place, 'keeps a checkpoint of a ledger that the database does not have');
  const nothing = { entries: 0n, erased: 0, tiles: 0, cosignatures: 0, rules: 0, lifts: 0 };
  return { tenant, ...nothing, checkpoints: notes.length, wrong: found.list() };
}

async function checkLedger(
  options: CheckDatabaseOptions & { readonly tenant: string },
  moment: LedgerMoment,
  notes: readonly KeptNote[],
  onEntries: (count: number) => void,
): Promise<LedgerReport> {
  const { pool, ledgerDir, tenant, publicKey, witnesses = [] } = options;
  const found = createFound();
  const { head } = moment;
  const entries = BigInt(head.next_ix ?? 0);
  if (head.next_ix === null) found.add('ledger_head', 'ledger_head', 'has no row for this tenant');
  if (head.size === null && moment.checkpoints.length > 0)
    found.add('tree_head', 'tree_head', 'has no row for this tenant');
  const keys = publicKey === undefined ? await keysOf(ledgerDir, tenant, moment, notes, found) : [publicKey];
  const gathered = gatherRoots({ tenant, moment, notes, keys, witnesses, found });
  await checkNewestKept(options, moment, notes, gathered, found);
  const outbox = BigInt(head.outbox);
  if (outbox > BigInt(head.control))
    found.add('control_log', 'control_outbox', `is at ${outbox}, and the control log ends at ${head.control}`);
  const walked = await walkLedger({
    pool,
    tenant,
    entries,
    treeSize: BigInt(head.size ?? 0),
    outbox,
    roots: reachable(gathered.roots, head, found),
    found,
    onEntries,
  });
  checkContinuations(walked.continuations, head.incarnation ?? 1, found);
  checkLost(gathered.earlier, walked.continuations, found);
  checkBounds(moment, entries, found);
  // A wrong entry gives wrong sums: it is named, they are not.
  if (walked.isSound) {
    checkKeys(moment, walked, found);
    checkSums(moment, entries, walked, found);
  }
  const { erased, tiles, orders: rules, lifts } = walked;
  const checkpoints = moment.checkpoints.length + notes.length;
  const { cosignatures } = gathered;
  return { tenant, entries, erased, tiles, checkpoints, cosignatures, rules, lifts, wrong: found.list() };
}

/** Names roots of sizes that the tree does not have, and returns the others. */
function reachable(roots: readonly WantedRoot[], { next_ix, size: tree }: LedgerMoment['head'], found: Found) {
  const [entries, treeSize] = [BigInt(next_ix ?? 0), BigInt(tree ?? 0)];
  return roots.filter(({ kind, place, size }) => {
    if (size <= entries && (kind === 'tree_head' || size <= treeSize)) return true;
    found.add(
      kind,
      place,
      `covers ${size} entries, and the ledger has ${entries} and ${treeSize} in its tree: an old backup was restored, or entries are gone`,
    );
    return false;
  });
}

/** Names rows beyond the end, and those that belong to nothing. They come last: a row whose index was changed is missed where it belongs. */
function checkBounds({ head }: LedgerMoment, entries: bigint, found: Found): void {
  const beyond = `lies beyond the ${entries} entries of ledger_head`;
  if (head.entry_beyond !== null) found.add('entry', `entry ${head.entry_beyond}`, beyond);
  if (head.payload_beyond !== null) found.add('payload', `payload ${head.payload_beyond}`, beyond);
  if (head.remainder_beyond !== null) found.add('entry_remainder', `entry_remainder ${head.remainder_beyond}`, beyond);
  if (head.remainder_of_none !== null)
    found.add('entry_remainder', `entry_remainder ${head.remainder_of_none}`, 'is of an erasure that there is not');
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
  notes: readonly KeptNote[],
  found: Found,
): Promise<readonly Buffer[]> {
  const own: Buffer[] = [];
  for (const { path, publicKey } of await readKeyFiles(ledgerDir, tenant)) {
    if (publicKey === undefined) {
      found.add('file', path, 'is no Ed25519 key');
      continue;
    }
    own.push(publicKey);
    if (keys.some((key) => key.equals(publicKey))) continue;
    // A key is listed before it signs anything.
    if ([...checkpoints, ...notes].some(({ note }) => isSignedBy(note, publicKey)))
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

/** Looks for the newest checkpoint in every place: it is kept there before the checkpoint is stored. */
async function checkNewestKept(
  options: CheckDatabaseOptions & { readonly tenant: string },
  { checkpoints }: LedgerMoment,
  notes: readonly KeptNote[],
  gathered: GatheredRoots,
  found: Found,
): Promise<void> {
  const { ledgerDir, tenant, topic } = options;
  const newest = checkpoints.at(-1);
  if (newest === undefined) return;
  const isKept = (kind: KeptNote['kind'], kept: readonly KeptNote[]): boolean =>
    undefined !==
    kept.findLast((note) => {
      const said = note.kind === kind ? gathered.saidBy(note) : undefined;
      if (said === undefined || said.incarnation < newest.incarnation) return false;
      return said.incarnation > newest.incarnation || said.size >= BigInt(newest.size);
    });
  const places = { file: `${ledgerDir}/${tenant}`, ...(topic && { topic: topic.name }) };
  for (const [kind, place] of Object.entries(places) as [KeptNote['kind'], string][]) {
    // The checkpoint may be younger than the list of notes.
    if (isKept(kind, notes) || isKept(kind, await readKept(options, tenant))) continue;
    found.add(kind, place, `keeps no checkpoint of ${newest.size} entries of ${tenant}, which was published`);
  }
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
  if (BigInt(head.keys) !== entries || BigInt(head.keyed) !== entries)
    found.add(
      'projection',
      'dedupe',
      `has ${head.keys} keys of events, of ${head.keyed} entries, and there are ${entries}`,
    );
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
