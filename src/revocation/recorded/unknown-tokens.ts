import { MAX_STANDING_A_TENANT, type Caller, type ControlFollower, type ControlRecord } from '../../control/index.js';
import { tokenParts, type TokenRef } from '../../rules/index.js';
import type { RuleReader, UnknownToken } from './rule-reader.pg.js';

/**
 * Selectors that a caller may have ordered for tokens without an event: one for each of its clients and each token. More are refused. They
 * are also refused if the tenant holds as many rules as events may add.
 */
export const MAX_UNKNOWN_TOKENS = 10_000;

export interface UnknownTokens {
  /** Takes `selectors` places for one more token. Release them once its rule is applied or failed. Undefined if too few are left. */
  take(caller: Caller, ref: TokenRef, selectors: number): Promise<(() => void) | undefined>;
}

export interface UnknownTokensOptions {
  readonly follower: ControlFollower;
  readonly rules: RuleReader;
  readonly now: () => number;
}

/**
 * Counts, for each caller, the tokens that were unknown when they were revoked, because anybody could send random texts. The orders of
 * earlier runs are read once for each caller; later orders, from this process or another, come with the control log.
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
    if (selector.token && selector.client)
      remember(author.caller, { token: selector.token, until, selectors: 1 + (record.body.or?.client?.length ?? 0) });
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

  /** Drops rules that have ended. All live equally long, so the rule remembered first ends first. */
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
      const isFull =
        ofCaller.selectors + underWay + selectors > MAX_UNKNOWN_TOKENS ||
        (follower.state.tenant(caller.tenant)?.rules.size ?? 0) >= MAX_STANDING_A_TENANT;
      if (!isKnown && isFull) return undefined;
      taken.set(caller.id, underWay + selectors);
      return () => void taken.set(caller.id, taken.get(caller.id)! - selectors);
    },
  };
}

/** Rules that a caller has ordered for unknown tokens. `until`: the end of a rule, epoch seconds. */
interface Ordered {
  readonly tokens: Map<string, { readonly until: number; readonly selectors: number }>;
  selectors: number;
}

const nameOf = (ref: TokenRef): string => tokenParts(ref).join(' ');
