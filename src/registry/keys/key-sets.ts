import { RescindError, canonicalJson, type SigningAlgorithm } from '../../contracts/index.js';
import type { ControlState, Source } from '../../control/index.js';
import type { Log } from '../../platform/log/index.js';
import { MAX_KEYS, usableKeys, type Jwk, type VerificationKey } from './jwks-check.js';
import { fetchJwks } from './jwks-fetch.js';

/** Milliseconds between two fetches of a set, so that a key withdrawn at its URI is withdrawn here. */
const REFRESH_MS = 5 * 60_000;
/**
 * Least milliseconds between two fetches that an unknown `kid` causes, so that tokens cannot drive the traffic. Short after a good fetch,
 * because tokens fail during a rotation until the set is fetched; long after a failed fetch, to spare an issuer in trouble.
 */
const MIN_REFETCH_MS = { good: 1_000, failed: 30_000 } as const;
/** Milliseconds for which the last good set counts after its URI stops answering. */
const MAX_AGE_MS = 24 * 3_600_000;

/** The members of a JOSE header that select a key. Nothing else in a token ever names a key or a URL. */
export interface KeySelector {
  readonly kid?: string | undefined;
  readonly alg: string;
}

export interface KeySets {
  /**
   * Finds the keys of the source that can have made a signature with this header: the source's profile allows `alg`, `alg` fits the key,
   * and `kid`, if present, is the key's. Returns at once for inline keys and for a fetched set that has such a key; otherwise returns a
   * promise that waits for a fetch (3 s at most). Never rejects: without an answer there is no key.
   */
  find(source: Source, header: KeySelector): readonly VerificationKey[] | Promise<readonly VerificationKey[]>;
  /** Returns the keys that the source has now, without fetching. */
  all(source: Source): readonly VerificationKey[];
  /** Says whether the source's keys are at a URI from which the last attempt to fetch them failed. */
  isUnreachable(source: Source): boolean;
  /** Says whether the source still has this key, which `find` returned. Everything that a removed key verified must be dropped. */
  holds(source: Source, key: VerificationKey): boolean;
  /** Grows whenever a fetched set loses or gains a key. Inline keys change with `state.registryVersion`. */
  readonly version: number;
  /** Ends the refreshing. */
  stop(): void;
}

export interface KeySetsOptions {
  readonly state: ControlState;
  readonly log: Log;
  /** Hosts whose `jwks_uri` may have an address that is not public. If they are loopback, the URI may also be http. */
  readonly allowedHosts: readonly string[];
  /** PEM certificates that replace those that Node trusts. */
  readonly ca?: readonly string[] | undefined;
  /** Replaces the network, for specs. */
  readonly fetchKeys?: (uri: string) => Promise<readonly Jwk[]>;
  /** Returns milliseconds of a clock that never goes back. */
  readonly monotonic?: () => number;
}

interface FetchedSet {
  readonly uri: string;
  keys: readonly VerificationKey[];
  /** Canonical JWK of each key, so that a key stays the same object when its set is fetched again. */
  spellings: readonly string[];
  /** End of the last fetch. */
  triedAt: number;
  lastFetch: keyof typeof MIN_REFETCH_MS;
  goodAt: number;
  fetching: Promise<void> | undefined;
  timer: NodeJS.Timeout | undefined;
}

export function createKeySets(options: KeySetsOptions): KeySets {
  const { state, log, allowedHosts, ca, monotonic = () => performance.now() } = options;
  const fetchSet = options.fetchKeys ?? ((uri: string) => fetchJwks(uri, { allowedHosts, ca }));
  const inline = new WeakMap<NonNullable<Source['jwks']>, readonly VerificationKey[]>();
  const fetched = new Map<string, FetchedSet>();
  let version = 0;
  let stopped = false;

  function inlineKeys(jwks: NonNullable<Source['jwks']>): readonly VerificationKey[] {
    let keys = inline.get(jwks);
    if (!keys) {
      keys = usableKeys(jwks.keys);
      inline.set(jwks, keys);
    }
    return keys;
  }

  function setOf(source: Source, uri: string): FetchedSet {
    let set = fetched.get(source.id);
    if (set?.uri !== uri) {
      if (set) forget(source.id, set);
      set = {
        uri,
        keys: [],
        spellings: [],
        triedAt: -Infinity,
        lastFetch: 'failed',
        goodAt: -Infinity,
        fetching: undefined,
        timer: undefined,
      };
      fetched.set(source.id, set);
    }
    return set;
  }

  function forget(id: string, set: FetchedSet): void {
    clearTimeout(set.timer);
    if (fetched.get(id) === set) fetched.delete(id);
    version++;
  }

  function currentKeys(set: FetchedSet): readonly VerificationKey[] {
    if (set.keys.length > 0 && monotonic() - set.goodAt > MAX_AGE_MS) {
      set.keys = [];
      set.spellings = [];
      version++;
    }
    return set.keys;
  }

  function refresh(source: Source, set: FetchedSet): Promise<void> {
    set.fetching ??= fetchInto(source, set).finally(() => {
      set.fetching = undefined;
      schedule(source.id, set);
    });
    return set.fetching;
  }

  async function fetchInto(source: Source, set: FetchedSet): Promise<void> {
    try {
      const jwks = await fetchSet(set.uri);
      if (jwks.length > MAX_KEYS) throw new RescindError('invalid-jwks', { detail: `over ${MAX_KEYS} keys` });
      replaceKeys(set, jwks);
      set.goodAt = monotonic();
      set.lastFetch = 'good';
    } catch (error) {
      set.lastFetch = 'failed';
      log.warn(
        { source: source.name, err: error },
        'cannot fetch the key set of a source; its last good set counts for at most a day',
      );
    } finally {
      set.triedAt = monotonic();
    }
  }

  function replaceKeys(set: FetchedSet, jwks: readonly Jwk[]): void {
    const spellings: string[] = [];
    const keys: VerificationKey[] = [];
    for (const jwk of jwks) {
      const [key] = usableKeys([jwk]);
      if (!key) continue;
      const spelling = canonicalJson(jwk);
      const known = set.spellings.indexOf(spelling);
      spellings.push(spelling);
      keys.push(known === -1 ? key : set.keys[known]!);
    }
    if (keys.length !== set.keys.length || set.keys.some((key) => !keys.includes(key))) version++;
    set.keys = keys;
    set.spellings = spellings;
  }

  function schedule(id: string, set: FetchedSet): void {
    if (stopped || fetched.get(id) !== set) return;
    clearTimeout(set.timer);
    set.timer = setTimeout(() => {
      const source = state.source(id);
      if (!source || source.disabled || source.jwks_uri !== set.uri) forget(id, set);
      else void refresh(source, set);
    }, REFRESH_MS).unref();
  }

  function all(source: Source): readonly VerificationKey[] {
    if (source.jwks) return inlineKeys(source.jwks);
    const set = fetched.get(source.id);
    return set !== undefined && set.uri === source.jwks_uri ? currentKeys(set) : [];
  }

  return {
    find(source, header) {
      if (source.disabled || !(source.profile.algorithms as readonly string[]).includes(header.alg)) return [];
      if (source.jwks) return fitting(inlineKeys(source.jwks), header);
      if (source.jwks_uri === undefined) return [];
      const set = setOf(source, source.jwks_uri);
      const known = fitting(currentKeys(set), header);
      if (known.length > 0 || (!set.fetching && monotonic() - set.triedAt < MIN_REFETCH_MS[set.lastFetch]))
        return known;
      return refresh(source, set).then(() => fitting(currentKeys(set), header));
    },
    all,
    isUnreachable(source) {
      const set = fetched.get(source.id);
      return !source.jwks && set !== undefined && set.uri === source.jwks_uri && set.lastFetch === 'failed';
    },
    holds(source, key) {
      const current = state.source(source.id);
      return current !== undefined && !current.disabled && all(current).includes(key);
    },
    get version() {
      for (const set of fetched.values()) currentKeys(set);
      return version;
    },
    stop() {
      stopped = true;
      for (const set of fetched.values()) clearTimeout(set.timer);
    },
  };
}

const fitting = (keys: readonly VerificationKey[], { kid, alg }: KeySelector): readonly VerificationKey[] =>
  keys.filter((key) => key.algorithms.includes(alg as SigningAlgorithm) && (kid === undefined || key.kid === kid));
