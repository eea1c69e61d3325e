import { LRUCache } from 'lru-cache';
import type { Tenant } from '../control/index.js';
import type { LineageReader, StoredLineage } from '../projections/index.js';
import type { RuleKey } from '../rules/index.js';
import { knowToken, type KnownToken } from './known-token.js';

/** Tokens whose facts stay in memory; beyond it the least recently asked about is read again. */
const MAX_TOKENS = 200_000;

/**
 * How long facts with complete lineage are taken from memory. They cannot change, but another event can contradict them,
 * and this is how late that may be noticed. Rules do not wait for it.
 */
const MAX_AGE_MS = 10_000;

/** Keys of one statement; what one tick asks beyond it goes into the next. */
const KEYS_PER_STATEMENT = 1_000;

/** A read that takes longer is given up: the caller is better served by a 503 that it can repeat. */
const READ_TIMEOUT_MS = 2_000;

export interface Facts {
  /** From memory, where the lineage is complete. */
  remembered(tenant: Tenant, key: RuleKey): KnownToken | undefined;
  /** As recorded now. Reads of one tick share a statement. */
  token(tenant: Tenant, key: RuleKey): Promise<KnownToken | undefined>;
  idJag(tenant: Tenant, key: RuleKey): Promise<StoredLineage | undefined>;
}

interface Remembered {
  readonly tenant: string;
  readonly known: KnownToken;
  readonly readAt: number;
}

export interface FactsOptions {
  readonly lineage: LineageReader;
  /** Milliseconds on a clock that only goes forward. */
  readonly monotonic?: () => number;
}

export function createFacts({ lineage, monotonic = () => performance.now() }: FactsOptions): Facts {
  const tokens = new LRUCache<RuleKey, Remembered>({ max: MAX_TOKENS });
  const readToken = shareTick((tenant, keys) => lineage.tokens(tenant, keys));
  const readIdJag = shareTick((tenant, keys) => lineage.idJags(tenant, keys));

  return {
    remembered(tenant, key) {
      // A rule key is an HMAC under the tenant's key, so two tenants never share one; compared all the same.
      const held = tokens.get(key);
      return held?.tenant === tenant.id && monotonic() - held.readAt < MAX_AGE_MS ? held.known : undefined;
    },
    async token(tenant, key) {
      const readAt = monotonic();
      const stored = await readToken(tenant.id, key);
      if (!stored) return undefined;
      const known = knowToken(tenant, stored);
      if (known.lineage.complete) tokens.set(key, { tenant: tenant.id, known, readAt });
      return known;
    },
    idJag: (tenant, key) => readIdJag(tenant.id, key),
  };
}

type ReadMany = (tenant: string, keys: readonly RuleKey[]) => Promise<readonly (StoredLineage | undefined)[]>;
type ReadOne = (tenant: string, key: RuleKey) => Promise<StoredLineage | undefined>;

/**
 * A read joins those of its own tick and never a statement that was sent before it: what was durable when the question
 * came is in the answer.
 */
function shareTick(readMany: ReadMany): ReadOne {
  let pending = new Map<string, Map<RuleKey, PromiseWithResolvers<StoredLineage | undefined>>>();

  function flush(): void {
    const sent = pending;
    pending = new Map();
    for (const [tenant, asked] of sent) {
      const keys = [...asked.keys()];
      for (let from = 0; from < keys.length; from += KEYS_PER_STATEMENT) void send(tenant, keys.slice(from, from + KEYS_PER_STATEMENT), asked);
    }
  }

  async function send(tenant: string, keys: readonly RuleKey[], asked: Map<RuleKey, PromiseWithResolvers<StoredLineage | undefined>>): Promise<void> {
    const timer = setTimeout(() => reject(new Error(`facts were not read within ${READ_TIMEOUT_MS} ms`)), READ_TIMEOUT_MS);
    const reject = (error: unknown): void => keys.forEach((key) => asked.get(key)!.reject(error));
    try {
      const found = await readMany(tenant, keys);
      keys.forEach((key, at) => asked.get(key)!.resolve(found[at]));
    } catch (error) {
      reject(error);
    } finally {
      clearTimeout(timer);
    }
  }

  return (tenant, key) => {
    if (pending.size === 0) setImmediate(flush);
    let asked = pending.get(tenant);
    if (!asked) pending.set(tenant, (asked = new Map()));
    let answer = asked.get(key);
    if (!answer) asked.set(key, (answer = withResolvers()));
    return answer.promise;
  };
}

interface PromiseWithResolvers<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

/** `Promise.withResolvers` comes with Node 22. */
function withResolvers<T>(): PromiseWithResolvers<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
