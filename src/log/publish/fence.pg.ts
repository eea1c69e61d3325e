import { RescindError } from '../../contracts/index.js';
import type { Pool } from '../../platform/postgres/index.js';
import { readTree } from '../tree/head.pg.js';
import { newestSigned, type Anchors, type SignedCheckpoint } from './anchors.js';
import type { LedgerDirectory } from './ledger-directory.js';
import { listKeys, verifiersOf } from './keys.pg.js';
import { requireContinued } from './publish.pg.js';

type Session = Pick<Pool, 'query'>;

export interface LedgerFenceOptions {
  readonly session: Session;
  readonly tenant: string;
  readonly logOrigin: string;
  readonly directory: LedgerDirectory;
  /** Further places than the directory. */
  readonly anchors: readonly Anchors[];
}

/** Finds the newest checkpoint of a ledger that an anchor keeps. Passes over notes that no key of the ledger signed. */
export async function newestAnchored({
  session,
  tenant,
  logOrigin,
  directory,
  anchors,
}: LedgerFenceOptions): Promise<SignedCheckpoint | undefined> {
  // The directory's own keys count even if the database lost its list.
  const keys = [...(await listKeys(session, tenant)), ...(await directory.readKeys(tenant))];
  const notes = await Promise.all([directory, ...anchors].map((anchor) => anchor.notes(tenant)));
  return newestSigned(`${logOrigin}/${tenant}`, notes.flat(), (origin) => verifiersOf(keys, origin));
}

/** Checks that a ledger continues every checkpoint that an anchor keeps. Throws `ledger-behind` or `ledger-forked` with what to do. */
export async function passLedgerFence(options: LedgerFenceOptions): Promise<void> {
  const last = await newestAnchored(options);
  await requireContinued(options.session, options.tenant, await readTree(options.session, options.tenant), last);
}

/** Checks all ledgers of the database, and that it knows every ledger of the directory. */
export function createLedgerFence(options: Omit<LedgerFenceOptions, 'tenant'>) {
  const { session, directory } = options;

  async function checkAll(): Promise<void> {
    const { rows } = await session.query<{ tenant: string }>('SELECT tenant FROM ledger_head ORDER BY tenant');
    const known = new Set(rows.map(({ tenant }) => tenant));
    for (const tenant of known) await passLedgerFence({ ...options, tenant });
    const foreign = (await directory.signed()).find((tenant) => !known.has(tenant));
    if (foreign !== undefined)
      throw new RescindError('ledger-behind', {
        detail:
          `LEDGER_DIR holds checkpoints of the ledger of ${foreign}, which this database does not have: it is empty or another one. ` +
          'Restore the right database, or set LEDGER_DIR to another directory',
      });
  }

  return {
    /** Returns why this database must not be answered from, with what to do. Undefined if it may. */
    async check(): Promise<RescindError | undefined> {
      try {
        await checkAll();
        return undefined;
      } catch (error) {
        return error instanceof RescindError ? error : new RescindError('database-unavailable', { cause: error });
      }
    },
  };
}
