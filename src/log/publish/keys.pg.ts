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
  /** When it stops or stopped signing; null for the newest key. */
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

/** Says whether a key signs checkpoints at a time, epoch milliseconds. */
export const signsAt = ({ until }: ListedKey, nowMs: number): boolean => until === null || until.getTime() > nowMs;

/** Verifier keys of a ledger under one of its origins. */
export const verifiersOf = (keys: readonly Pick<ListedKey, 'publicKey'>[], origin: string): readonly VerifierKey[] =>
  keys.map(({ publicKey }) => logVerifier(origin, publicKey));

/**
 * Finds the keys that sign a tenant's checkpoints now: the newest and, for a time after a rotation, the ones before. Makes one only for a ledger
 * that never had any: throws `log-key-missing` if the directory lacks one of those that the ledger lists, because a new key would look like
 * another log.
 */
export async function findLogKeys(
  session: Session,
  tenant: string,
  directory: LedgerDirectory,
  nowMs: number,
): Promise<readonly LogKey[]> {
  const listed = await listKeys(session, tenant);
  const kept = await directory.readKeys(tenant);
  if (listed.length > 0) return signingOf(tenant, listed, kept, nowMs);
  const key = kept[0] ?? (await directory.makeKey(tenant));
  // Two processes may have different directories: the one that lists its key first signs.
  await session.query(
    `INSERT INTO ledger_key (tenant, public_key)
     SELECT $1, $2 FROM tree_head WHERE tenant = $1 AND NOT EXISTS (SELECT FROM ledger_key WHERE tenant = $1)`,
    [tenant, key.publicKey],
  );
  return findLogKeys(session, tenant, directory, nowMs);
}

function signingOf(
  tenant: string,
  listed: readonly ListedKey[],
  kept: readonly LogKey[],
  nowMs: number,
): readonly LogKey[] {
  const signing = listed.filter((key) => signsAt(key, nowMs));
  if (signing.length === 0)
    throw new RescindError('ledger-inconsistent', { detail: `every key of the ledger of ${tenant} stopped signing` });
  return signing.map(({ publicKey }) => {
    const key = kept.find((one) => one.publicKey.equals(publicKey));
    if (key === undefined) throw missing(tenant, publicKey);
    return key;
  });
}

const missing = (tenant: string, publicKey: Buffer): RescindError =>
  new RescindError('log-key-missing', {
    detail:
      `a key that signs the ledger of ${tenant}, with the public key ${publicKey.toString('base64')}, is not in this process's LEDGER_DIR. ` +
      `Put the file back into <LEDGER_DIR>/${tenant}/ as \`key\` or \`key-<number>\``,
  });
