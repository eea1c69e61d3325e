import { RescindError } from '../../contracts/index.js';
import { formatCheckpoint, formatNote, proveConsistency, verifyConsistency } from '../../merkle/index.js';
import type { Pool } from '../../platform/postgres/index.js';
import { readTree, type StoredTree } from '../tree/head.pg.js';
import { readTreeNodes } from '../tree/tiles.pg.js';
import type { Anchors, SignedCheckpoint } from './anchors.js';
import { originOf, type LogKey } from './log-key.js';

type Session = Pick<Pool, 'query'>;

const STORE = `
INSERT INTO ledger_checkpoint AS kept (tenant, incarnation, size, note) VALUES ($1, $2, $3, $4)
ON CONFLICT (tenant, incarnation) DO UPDATE SET size = excluded.size, note = excluded.note, at = clock_timestamp()
 WHERE kept.size < excluded.size`;

export interface PublishOptions {
  readonly session: Session;
  readonly logOrigin: string;
  readonly tenant: string;
  /** Finds the keys that sign now. */
  readonly findKeys: () => Promise<readonly LogKey[]>;
  readonly anchors: readonly Anchors[];
  /** The newest checkpoint that any anchor keeps. */
  readonly last: SignedCheckpoint | undefined;
}

/**
 * Publishes a checkpoint of the committed tree. First proves that it continues the last signed one, then signs it, keeps it in every anchor,
 * and only then lets it be served. A checkpoint that some anchor has already is kept and served all the same: the process before may have ended in
 * between. Returns it, or undefined if the ledger is empty. Throws `ledger-forked` or `ledger-behind`, and then nothing was signed.
 */
export async function publishCheckpoint(options: PublishOptions): Promise<SignedCheckpoint | undefined> {
  const { session, logOrigin, tenant, findKeys, anchors, last } = options;
  const tree = await readTree(session, tenant);
  if (tree.size === 0n && last === undefined) return undefined;
  await requireContinued(session, tenant, tree, last);
  // Found after the tree was read: a checkpoint that covers the change of a key is signed by the new one too.
  const keys = await findKeys();
  const origin = originOf(logOrigin, tenant, tree.incarnation);
  const text = formatCheckpoint({ origin, size: tree.size, root: tree.root });
  const note = formatNote({ text, signatures: keys.map((key) => key.sign(origin, text)) });
  for (const anchor of anchors) await anchor.keep(tenant, { ...tree, note });
  await session.query(STORE, [tenant, tree.incarnation, String(tree.size), note]);
  return { ...tree, note };
}

/**
 * Checks that the committed tree continues a signed checkpoint. Throws `ledger-behind` if the checkpoint is larger or of a later incarnation,
 * `ledger-forked` if the tree has another beginning.
 */
export async function requireContinued(
  session: Session,
  tenant: string,
  tree: StoredTree,
  last: SignedCheckpoint | undefined,
): Promise<void> {
  // An earlier incarnation ended where `rescind ledger continue` said so.
  if (last === undefined || last.incarnation < tree.incarnation) return;
  if (last.incarnation > tree.incarnation || last.size > tree.size)
    throw new RescindError('ledger-behind', {
      detail:
        `the ledger of ${tenant} has ${tree.size} entries in its tree (incarnation ${tree.incarnation}), and a checkpoint of ${last.size} entries ` +
        `(incarnation ${last.incarnation}) was signed: an old backup was restored. Restore a newer one; if there is none, run: rescind ledger continue ${tenant}`,
    });
  const proof = await proveConsistency(last.size, tree.size, readTreeNodes(session, tenant, tree.size));
  if (verifyConsistency(last, tree, proof)) return;
  throw new RescindError('ledger-forked', {
    detail:
      `the first ${last.size} entries of the ledger of ${tenant} are others than the signed checkpoint covers: entries were changed, or an old backup ` +
      `was restored and went on. Keep this database as evidence and restore a backup; if there is none, run: rescind ledger continue ${tenant}`,
  });
}
