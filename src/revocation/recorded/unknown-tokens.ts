import { MAX_STANDING_A_TENANT, type Caller, type ControlFollower, type ControlRecord } from '../../control/index.js';
import { tokenParts, type TokenRef } from '../../rules/index.js';
import type { RuleReader, UnknownToken } from './rule-reader.pg.js';

/**
 * Selectors that a caller may have ordered for tokens that nobody has seen: one for each of its clients and token. More are refused, as
 * they are where the tenant holds as many as events may add.
 */
export const MAX_UNKNOWN_TOKENS = 10_000;

export interface UnknownTokens {
  /** Places for one more token, `selectors` of them, to be released once its rule is applied or failed; undefined when too few are left. */
  take(caller: Caller, ref: TokenRef, selectors: number): Promise<(() => void) | undefined>;
}

export interface UnknownTokensOptions {
  readonly follower: ControlFollower;
  readonly rules: RuleReader;
  readonly now: () => number;
}

/**
 * Counts, per caller, the tokens that were unknown when they were revoked: anybody could send random texts. What earlier
 * runs ordered is read once a caller; what is ordered since, here or elsewhere, comes with the control log.
 */
export function createUnknownTokens({ follower, rules, now }: UnknownTokensOptions): UnknownTokens {
  const ordered = new Map<string, Ordered>();
  const loaded = new Map<string, Promise<void>>();
  const taken = new Map<string, number>();

  follower.onApplied((records) => {
    for (const record of records) count(record);
  });

  function count(record: ControlRecord): void {
    if (record.kind !== 'rule.ordered' || record.body.until === undefined) return;
    const { author, selector, until } = record.body;
    if (selector.token && selector.client) remember(author.caller, { token: selector.token, until, selectors: 1 + (record.body.or?.client?.length ?? 0) });
  }

  function remember(caller: string, { token, until, selectors }: UnknownToken): void {
    const ofCaller = orderedBy(caller);
    const name = nameOf(token);
    ofCaller.selectors += selectors - (ofCaller.tokens.get(name)?.selectors ?? 0);
    ofCaller.tokens.set(name, { until, selectors });
  }

  function orderedBy(caller: string): Ordered {
    const ofCaller = ordered.get(caller) ?? { tokens: new Map(), selectors: 0 };
    ordered.set(caller, ofCaller);
    return ofCaller;
  }

  function load(caller: Caller): Promise<void> {
    const known = loaded.get(caller.id);
    if (known) return known;
    const loading = readEarlier(caller);
    loaded.set(caller.id, loading);
    loading.catch(() => loaded.delete(caller.id));
    return loading;
  }

  async function readEarlier({ id, tenant }: Caller): Promise<void> {
    const earlier = await rules.unknownTokens(tenant, id, Math.floor(now() / 1000), MAX_UNKNOWN_TOKENS);
    for (const one of earlier) remember(id, one);
  }

  /** Every rule lives equally long, so the first that was remembered ends first. */
  function dropEnded(ofCaller: Ordered): void {
    const seconds = now() / 1000;
    for (const [token, { until, selectors }] of ofCaller.tokens) {
      if (until > seconds) return;
      ofCaller.tokens.delete(token);
      ofCaller.selectors -= selectors;
    }
  }

  return {
    async take(caller, ref, selectors) {
      await load(caller);
      const ofCaller = orderedBy(caller.id);
      dropEnded(ofCaller);
      const underWay = taken.get(caller.id) ?? 0;
      const isKnown = ofCaller.tokens.has(nameOf(ref));
      const isFull = ofCaller.selectors + underWay + selectors > MAX_UNKNOWN_TOKENS || (follower.state.tenant(caller.tenant)?.rules.size ?? 0) >= MAX_STANDING_A_TENANT;
      if (!isKnown && isFull) return undefined;
      taken.set(caller.id, underWay + selectors);
      return () => void taken.set(caller.id, taken.get(caller.id)! - selectors);
    },
  };
}

/** Rules that a caller has ordered for unknown tokens; `until` is when a rule ends, epoch seconds. */
interface Ordered {
  readonly tokens: Map<string, { readonly until: number; readonly selectors: number }>;
  selectors: number;
}

const nameOf = (ref: TokenRef): string => tokenParts(ref).join(' ');
