import { RescindError } from '../../contracts/index.js';
import { inTransaction, type Pool } from '../../platform/postgres/index.js';
import { appendEntries, type LogIndex, type NewEntry } from '../append.pg.js';
import type { ContentOf } from '../known.pg.js';
import { readTree } from '../tree/head.pg.js';
import type { SignedCheckpoint } from './anchors.js';
import { newestAnchored, type LedgerFenceOptions } from './fence.pg.js';
import { originOf } from './log-key.js';
import { requireContinued } from './publish.pg.js';

/** The new incarnation of a ledger, and the checkpoint of the old one that it does not continue. */
export interface Continuation {
  readonly incarnation: number;
  /** The origin of the new incarnation. */
  readonly origin: string;
  readonly last: SignedCheckpoint;
  readonly lastOrigin: string;
  /** Entries that the ledger has. */
  readonly kept: bigint;
}

export interface ContinueLedgerOptions extends Omit<LedgerFenceOptions, 'session'> {
  readonly pool: Pool;
  /** Makes the first entry of the new incarnation. */
  readonly entryOf: (continuation: Continuation) => NewEntry;
  readonly contentOf: ContentOf;
}

/**
 * Opens the next incarnation of a ledger that does not continue what was signed. In one transaction, under the ledger's head, its first entry is
 * appended and the tree takes the new origin. Throws `invalid-request` if the ledger continues every checkpoint that an anchor keeps.
 */
export function continueLedger(options: ContinueLedgerOptions): Promise<Continuation & { readonly index: LogIndex }> {
  const { pool, tenant, logOrigin, entryOf, contentOf } = options;
  return inTransaction(pool, async (session) => {
    const { rows } = await session.query<{ next_ix: string }>(
      'SELECT next_ix FROM ledger_head WHERE tenant = $1 FOR UPDATE',
      [tenant],
    );
    const last = await newestAnchored({ ...options, session });
    const tree = await readTree(session, tenant);
    if (last === undefined || !(await isBroken(requireContinued(session, tenant, tree, last))))
      throw new RescindError('invalid-request', {
        detail: 'the ledger continues every checkpoint that was signed; nothing was changed',
      });
    const incarnation = Math.max(tree.incarnation, last.incarnation) + 1;
    const continuation = {
      incarnation,
      origin: originOf(logOrigin, tenant, incarnation),
      last,
      lastOrigin: originOf(logOrigin, tenant, last.incarnation),
      kept: BigInt(rows[0]?.next_ix ?? 0),
    };
    const [placed] = await appendEntries(session, [entryOf(continuation)], contentOf);
    await session.query(
      `INSERT INTO tree_head (tenant, incarnation, root) VALUES ($1, $2, $3)
       ON CONFLICT (tenant) DO UPDATE SET incarnation = excluded.incarnation`,
      [tenant, incarnation, tree.root],
    );
    return { ...continuation, index: placed!.index };
  });
}

async function isBroken(check: Promise<void>): Promise<boolean> {
  try {
    await check;
    return false;
  } catch (error) {
    if (error instanceof RescindError && (error.code === 'ledger-behind' || error.code === 'ledger-forked'))
      return true;
    throw error;
  }
}
