import { createHash } from 'node:crypto';
import { canonicalJson } from '../contracts/index.js';
import type { ControlState, Source } from '../control/index.js';
import { publicJwk, type KeySets, type VerificationKey } from '../registry/index.js';
import type { Appender } from './append/appender.pg.js';
import { ownSource } from './append/own-events.js';

interface Recorded {
  readonly keys: readonly VerificationKey[];
  readonly digest: string;
  readonly durable: Promise<void>;
}

/**
 * Records the keys that were fetched for a source, so that an auditor can verify later what they verified. A set is an entry `source.changed`
 * of its own, once: its id is the set's digest, so the ledger drops what another process tells of it. Resolves when the entry is durable.
 */
export function createKeyRecorder(options: {
  readonly state: ControlState;
  readonly keySets: Pick<KeySets, 'all'>;
  readonly appender: Pick<Appender, 'submit'>;
  /** Epoch milliseconds. */
  readonly now?: () => number;
}): (source: Source) => Promise<void> {
  const { state, keySets, appender, now = Date.now } = options;
  /** The set of each source that was recorded last. */
  const recorded = new Map<string, Recorded>();

  async function write(source: Source, jwks: object, digest: string): Promise<void> {
    const data = {
      id: source.id,
      seq: String(state.head),
      change: 'keys-fetched',
      author: { caller: ownSource(source.tenant) },
      after: { jwks },
    } as const;
    const tenant = state.tenant(source.tenant)!;
    const id = `keys-${source.id}-${digest}`;
    await appender.submit({ events: [], own: [{ tenant, name: 'source.changed', id, timeMs: now(), data }] });
  }

  return (source) => {
    const keys = keySets.all(source);
    const last = recorded.get(source.id);
    if (last?.keys === keys) return last.durable;
    const jwks = { keys: keys.map(publicJwk).sort((a, b) => (canonicalJson(a) < canonicalJson(b) ? -1 : 1)) };
    const digest = createHash('sha256').update(canonicalJson(jwks)).digest('base64url');
    const durable = last?.digest === digest ? last.durable : write(source, jwks, digest);
    recorded.set(source.id, { keys, digest, durable });
    durable.catch(() => {
      if (recorded.get(source.id)?.durable === durable) recorded.delete(source.id);
    });
    return durable;
  };
}
