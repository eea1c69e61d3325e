import { RescindError } from '../../contracts/index.js';
import type { VerifierKey } from '../../merkle/index.js';
import type { Pool } from '../../platform/postgres/index.js';
import type { LedgerDirectory } from './ledger-directory.js';
import { logVerifier, type LogKey } from './log-key.js';

type Session = Pick<Pool, 'query'>;

/** A public key of a ledger, and when it signs. */
export interface ListedKey {
  readonly publicKey: Buffer;
  readonly since: Date;
  /** When it stopped signing; null for a key that signs. */
  readonly until: Date | null;
}

/** Lists all keys that sign or signed a ledger's checkpoints, the oldest first. */
export async function listKeys(session: Session, tenant: string): Promise<readonly ListedKey[]> {
  const { rows } = await session.query<{ public_key: Buffer; since: Date; until: Date | null }>(
    'SELECT public_key, since, until FROM ledger_key WHERE tenant = $1 ORDER BY since, public_key',
    [tenant],
  );
  return rows.map(({ public_key, since, until }) => ({ publicKey: public_key, since, until }));
}

/** Verifier keys of a ledger under one of its origins. */
export const verifiersOf = (keys: readonly Pick<ListedKey, 'publicKey'>[], origin: string): readonly VerifierKey[] =>
  keys.map(({ publicKey }) => logVerifier(origin, publicKey));

/**
 * Finds the key that signs a tenant's checkpoints. Makes one only for a ledger that never had any: throws `log-key-missing` if the ledger has
 * keys and the directory has none of them, because a new key would look like another log.
 */
export async function findLogKey(session: Session, tenant: string, directory: LedgerDirectory): Promise<LogKey> {
  const listed = await listKeys(session, tenant);
  const key = (await directory.readKey(tenant)) ?? (listed.length === 0 ? await directory.makeKey(tenant) : undefined);
  if (key !== undefined && listed.some(({ publicKey }) => publicKey.equals(key.publicKey))) return key;
  if (key === undefined || listed.length > 0)
    throw new RescindError('log-key-missing', {
      detail: `the key that signs the ledger of ${tenant} is not in this process's LEDGER_DIR. Put the file <LEDGER_DIR>/${tenant}/key back`,
    });
  // Two processes may have different directories: the one that lists its key first signs.
  const { rowCount } = await session.query(
    `INSERT INTO ledger_key (tenant, public_key)
     SELECT $1, $2 FROM tree_head WHERE tenant = $1 AND NOT EXISTS (SELECT FROM ledger_key WHERE tenant = $1)`,
    [tenant, key.publicKey],
  );
  return rowCount === 1 ? key : findLogKey(session, tenant, directory);
}
