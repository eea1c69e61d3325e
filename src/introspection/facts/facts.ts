import type { Tenant } from '../../control/index.js';
import type { LineageReader, StoredLineage } from '../../projections/index.js';
import type { RuleKey } from '../../rules/index.js';
import { inTime } from '../in-time.js';
import { createShared, knowToken, type KnownToken } from './known-token.js';
import { createSecondChance } from './second-chance.js';

/** Tokens whose facts stay in memory; beyond it one that was not asked about for long is read again. README, "Limits", has their size. */
export const DEFAULT_MAX_TOKENS = 200_000;

/**
 * How long facts with complete lineage are taken from memory. Nothing but an erasure changes them, which makes every process forget them. Another event can contradict them, and
 * orders a rule then, which does not wait for this; it bounds how long a crash between the two can hide the event.
 */
const MAX_AGE_S = 600;

/** Keys of one statement; what one tick asks beyond it goes into the next. */
const KEYS_PER_STATEMENT = 1_000;

/** Statements under way of one kind: more would each carry less, and take their turns in the database. */
const STATEMENTS_AT_ONCE = 2;

/** A read that takes longer is given up: the caller is better served by a 503 that it can repeat. */
const READ_TIMEOUT_MS = 2_000;

/** The key under which facts are remembered: the digest of an opaque text, the rule key of a JWT's verified identity. */
export type MemoryKey = string;

export interface Facts {
  /** From memory, where the lineage is complete. */
  remembered(tenant: Tenant, key: MemoryKey): KnownToken | undefined;
  /** As recorded now. Reads of one tick share a statement. */
  token(tenant: Tenant, key: RuleKey, memoryKey: MemoryKey): Promise<KnownToken | undefined>;
  idJag(tenant: Tenant, key: RuleKey): Promise<StoredLineage | undefined>;
}

export interface FactsOptions {
  readonly lineage: LineageReader;
  readonly maxTokens?: number | undefined;
  /** Milliseconds on a clock that only goes forward. */
  readonly monotonic?: (() => number) | undefined;
}

export function createFacts({
  lineage,
  maxTokens = DEFAULT_MAX_TOKENS,
  monotonic = () => performance.now(),
}: FactsOptions): Facts {
  const tokens = createSecondChance<KnownToken>({ max: maxTokens });
  const shared = createShared({ max: maxTokens });
  const readToken = shareTick((tenant, keys) => lineage.tokens(tenant, keys));
  const readIdJag = shareTick((tenant, keys) => lineage.idJags(tenant, keys));
  const seconds = (): number => Math.floor(monotonic() / 1000);

  return {
    remembered(tenant, key) {
      const held = tokens.get(key);
      if (held === undefined || seconds() - held.readAt >= MAX_AGE_S) return undefined;
      const { tenant: of, tenantVersion } = held.common;
      return of === tenant.id && tenantVersion === tenant.version ? held : undefined;
    },
    async token(tenant, key, memoryKey) {
      const readAt = seconds();
      const stored = await readToken(tenant.id, key);
      if (!stored) return undefined;
      const known = knowToken(stored, { tenant, shared, memoryKey, readAt });
      // A text that is no JWT must not find what was recorded of one, now or later.
      if (known.common.lineage.complete && (known.common.identity === 'sha256') === (memoryKey !== key))
        tokens.set(memoryKey, known);
      return known;
    },
    idJag: (tenant, key) => readIdJag(tenant.id, key),
  };
}

type ReadMany = (tenant: string, keys: readonly RuleKey[]) => Promise<readonly (StoredLineage | undefined)[]>;
type ReadOne = (tenant: string, key: RuleKey) => Promise<StoredLineage | undefined>;

/**
 * A read joins those of its own tick and never a statement that was sent before it: what was durable when the question
 * came is in the answer. While as many statements are under way as may be, reads gather for the next one.
 */
function shareTick(readMany: ReadMany): ReadOne {
  let pending = new Map<string, Asked>();
  let underWay = 0;

  function flush(): void {
    if (underWay >= STATEMENTS_AT_ONCE) return;
    const sent = pending;
    pending = new Map();
    for (const [tenant, asked] of sent) {
      const keys = [...asked.keys()];
      for (let from = 0; from < keys.length; from += KEYS_PER_STATEMENT)
        void send(tenant, keys.slice(from, from + KEYS_PER_STATEMENT), asked);
    }
  }

  async function send(tenant: string, keys: readonly RuleKey[], asked: Asked): Promise<void> {
    underWay++;
    try {
      const found = await inTime(readMany(tenant, keys), { ms: READ_TIMEOUT_MS, what: 'facts were not read' });
      keys.forEach((key, at) => asked.get(key)!.resolve(found[at]));
    } catch (error) {
      keys.forEach((key) => asked.get(key)!.reject(error));
    } finally {
      underWay--;
      if (pending.size > 0) flush();
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

type Asked = Map<RuleKey, PromiseWithResolvers<StoredLineage | undefined>>;

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
