import { createHash } from 'node:crypto';
import type { Pool } from 'pg';
import { canonicalJson } from '../contracts/index.js';
import type { ControlState, Source } from '../control/index.js';
import { publicJwk, type KeySets, type VerificationKey } from '../registry/index.js';
import type { Appender } from './append/appender.pg.js';
import { ownSource } from './append/own-events.js';

export interface KeyRecorderOptions {
  readonly pool: Pick<Pool, 'query'>;
  readonly state: ControlState;
  readonly keySets: Pick<KeySets, 'all'>;
  readonly appender: Pick<Appender, 'submit'>;
  /** Epoch milliseconds. */
  readonly now?: () => number;
}

interface Recorded {
  readonly keys: readonly VerificationKey[];
  readonly durable: Promise<void>;
}

/**
 * Records the keys that were fetched for a source, so that an auditor can verify later what they verified. Each set that is another than the one recorded
 * last is an entry `source.changed` of its own, also one that comes back. Resolves when the entry is durable.
 */
export function createKeyRecorder(options: KeyRecorderOptions): (source: Source) => Promise<void> {
  const { keySets } = options;
  /** The set of each source that this process recorded last. */
  const recorded = new Map<string, Recorded>();
  return (source) => {
    const keys = keySets.all(source);
    const last = recorded.get(source.id);
    if (last?.keys === keys) return last.durable;
    // One after the other: a set that comes back must be compared with the one that was recorded in between.
    const durable = (last?.durable ?? Promise.resolve())
      .catch(() => undefined)
      .then(() => record(options, source, keys));
    recorded.set(source.id, { keys, durable });
    durable.catch(() => {
      if (recorded.get(source.id)?.durable === durable) recorded.delete(source.id);
    });
    return durable;
  };
}

async function record(
  { pool, state, appender, now = Date.now }: KeyRecorderOptions,
  source: Source,
  keys: readonly VerificationKey[],
): Promise<void> {
  const jwks = { keys: keys.map(publicJwk).sort((a, b) => (canonicalJson(a) < canonicalJson(b) ? -1 : 1)) };
  const digest = createHash('sha256').update(canonicalJson(jwks)).digest();
  const { rows } = await pool.query<{ nth: string; digest: Buffer }>(
    'SELECT nth, digest FROM source_keys WHERE tenant = $1 AND source = $2',
    [source.tenant, source.id],
  );
  if (rows[0]?.digest.equals(digest) === true) return;
  const nth = BigInt(rows[0]?.nth ?? 0) + 1n;
  const data = {
    id: source.id,
    seq: String(state.head),
    change: 'keys-fetched',
    author: { caller: ownSource(source.tenant) },
    after: { jwks },
  } as const;
  const tenant = state.tenant(source.tenant)!;
  // Two processes that see the same change tell it under the same id, and the ledger keeps one of them.
  const id = `keys-${source.id}-${nth}-${digest.toString('base64url')}`;
  await appender.submit({ events: [], own: [{ tenant, name: 'source.changed', id, timeMs: now(), data }] });
  await pool.query(
    `INSERT INTO source_keys (tenant, source, nth, digest) VALUES ($1, $2, $3, $4)
     ON CONFLICT (tenant, source) DO UPDATE SET nth = excluded.nth, digest = excluded.digest WHERE source_keys.nth < excluded.nth`,
    [source.tenant, source.id, String(nth), digest],
  );
}
