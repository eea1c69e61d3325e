import { RescindError } from '../../contracts/index.js';
import { formatVerifierKey } from '../../merkle/index.js';
import { inTransaction, type Pool, type PoolClient } from '../../platform/postgres/index.js';
import { appendEntries, type LogIndex, type NewEntry } from '../append.pg.js';
import type { ContentOf } from '../known.pg.js';
import { readTree } from '../tree/head.pg.js';
import { passLedgerFence } from './fence.pg.js';
import { findLogKeys, listKeys } from './keys.pg.js';
import type { LedgerDirectory } from './ledger-directory.js';
import { logVerifier, originOf, readLogKey, type LogKey } from './log-key.js';

/** Both keys sign for at least 30 days; the first checkpoint of both may come later than the rotation. */
const OVERLAP_SECONDS = 31 * 86_400;

export interface RotationOptions {
  readonly tenant: string;
  readonly logOrigin: string;
  readonly directory: LedgerDirectory;
  /** A new key that the operator gives, in PEM; by default one is made. */
  readonly pem?: string | undefined;
  readonly now?: () => number;
}

/** The effect of a rotation. `from` and `to` are verifier keys (C2SP signed-note). */
export interface Rotation {
  readonly origin: string;
  readonly from: string;
  /** Undefined if the new key is still to be made. */
  readonly to: string | undefined;
  /** Epoch seconds up to which `from` signs too. */
  readonly until: number;
}

interface Plan extends Rotation {
  readonly current: Buffer;
  /** The new key, if the directory has it. */
  readonly kept: LogKey | undefined;
}

/** Tells what a rotation would do now, and changes nothing. Throws what the rotation would throw. */
export async function planRotation(session: Pool | PoolClient, options: RotationOptions): Promise<Plan> {
  const { tenant, logOrigin, directory, pem, now = Date.now } = options;
  await passLedgerFence({ ...options, session, anchors: [] });
  const listed = await listKeys(session, tenant);
  const current = listed.find(({ until }) => until === null);
  if (current === undefined) throw refused('the ledger has no key yet: it gets one with its first checkpoint');
  const signing = await findLogKeys(session, tenant, directory, now());
  const isListed = (key: LogKey): boolean => listed.some(({ publicKey }) => publicKey.equals(key.publicKey));
  const [kept, ...others] = (await directory.readKeys(tenant)).filter((key) => !isListed(key));
  const given = pem === undefined ? undefined : readGiven(pem);
  if (given !== undefined && isListed(given)) throw refused('the key that was given is or was a key of this ledger');
  if (others.length > 0 || (given !== undefined && kept !== undefined && !kept.publicKey.equals(given.publicKey)))
    throw refused(
      `LEDGER_DIR/${tenant} holds another key that signs nothing yet, perhaps of a change that was cut off. Remove its file, or give that key`,
    );
  const next = given ?? kept;
  if (signing.length > 1 && next === undefined)
    throw refused(
      'the key was changed lately, and the one before still signs too. To change it again all the same, give the new key',
    );
  const origin = originOf(logOrigin, tenant, (await readTree(session, tenant)).incarnation);
  return {
    origin,
    from: formatVerifierKey(logVerifier(origin, current.publicKey)),
    to: next && formatVerifierKey(logVerifier(origin, next.publicKey)),
    until: Math.floor(now() / 1000) + OVERLAP_SECONDS,
    current: current.publicKey,
    kept,
  };
}

function readGiven(pem: string): LogKey {
  try {
    return readLogKey(pem);
  } catch (error) {
    throw refused(`the key that was given is ${(error as TypeError).message}`);
  }
}

const refused = (detail: string): RescindError =>
  new RescindError('invalid-request', { detail: `${detail}; nothing was changed` });

export interface RotateLogKeyOptions extends RotationOptions {
  readonly pool: Pool;
  /** Makes the entry that tells of the change. */
  readonly entryOf: (rotation: Rotation & { readonly to: string }) => NewEntry;
  readonly contentOf: ContentOf;
  /** For tests: awaited before each step. */
  readonly onStep?: (step: RotationStep) => Promise<void> | void;
}

export type RotationStep = 'keep' | 'list' | 'append' | 'commit';

/**
 * Changes the key of a ledger. The new key is kept in the directory first. Then one transaction, under the ledger's head, lists it, sets the end of
 * the former one, and appends the entry that tells both. If the process ends before the commit, the same keys sign as before, and the next
 * rotation takes the key that is kept. Throws `invalid-request` if a former key still signs too and no new key is given.
 */
export function rotateLogKey(
  options: RotateLogKeyOptions,
): Promise<Rotation & { readonly to: string; readonly index: LogIndex }> {
  const { pool, tenant, directory, pem, entryOf, contentOf, onStep } = options;
  return inTransaction(pool, async (session) => {
    // The second of two rotations at once sees what the first did.
    await session.query('SELECT FROM ledger_head WHERE tenant = $1 FOR UPDATE', [tenant]);
    const { origin, from, until, current, kept } = await planRotation(session, options);
    await onStep?.('keep');
    const { publicKey } = kept ?? (await directory.addKey(tenant, pem));
    const rotation = { origin, from, to: formatVerifierKey(logVerifier(origin, publicKey)), until };
    await onStep?.('list');
    await session.query('UPDATE ledger_key SET until = to_timestamp($3) WHERE tenant = $1 AND public_key = $2', [
      tenant,
      current,
      until,
    ]);
    await session.query('INSERT INTO ledger_key (tenant, public_key) VALUES ($1, $2)', [tenant, publicKey]);
    await onStep?.('append');
    const [placed] = await appendEntries(session, [entryOf(rotation)], contentOf);
    await onStep?.('commit');
    return { ...rotation, index: placed!.index };
  });
}
