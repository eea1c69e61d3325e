import type { Caller, ControlFollower, ControlRecord } from '../control/index.js';
import { tokenParts, type TokenRef } from '../rules/index.js';
import type { RuleReader } from './rule-reader.pg.js';

/** Tokens that a caller may have revoked before anybody has seen them; more are refused. */
export const MAX_UNKNOWN_TOKENS = 10_000;

export interface UnknownTokens {
  /** A place for one more, to be released once its rule is applied or failed; undefined when the caller has no place left. */
  take(caller: Caller, ref: TokenRef): Promise<(() => void) | undefined>;
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
  /** By caller: token, and when its rule ends (epoch seconds). */
  const ordered = new Map<string, Map<string, number>>();
  const loaded = new Map<string, Promise<void>>();
  const taken = new Map<string, number>();

  follower.onApplied((records) => {
    for (const record of records) count(record);
  });

  function count(record: ControlRecord): void {
    if (record.kind !== 'rule.ordered' || record.body.until === undefined) return;
    const { author, selector, until } = record.body;
    if (selector.token && selector.client) remember(author.caller, selector.token, until);
  }

  function remember(caller: string, ref: TokenRef, until: number): void {
    const ofCaller = ordered.get(caller) ?? new Map<string, number>();
    ordered.set(caller, ofCaller.set(nameOf(ref), until));
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
    for (const { token, until } of earlier) remember(id, token, until);
  }

  /** Every rule lives equally long, so the first that was remembered ends first. */
  function dropEnded(ofCaller: Map<string, number>): void {
    const seconds = now() / 1000;
    for (const [token, until] of ofCaller) {
      if (until > seconds) return;
      ofCaller.delete(token);
    }
  }

  return {
    async take(caller, ref) {
      await load(caller);
      const ofCaller = ordered.get(caller.id) ?? new Map<string, number>();
      dropEnded(ofCaller);
      const underWay = taken.get(caller.id) ?? 0;
      if (!ofCaller.has(nameOf(ref)) && ofCaller.size + underWay >= MAX_UNKNOWN_TOKENS) return undefined;
      taken.set(caller.id, underWay + 1);
      return () => {
        const left = taken.get(caller.id)! - 1;
        if (left > 0) taken.set(caller.id, left);
        else taken.delete(caller.id);
      };
    },
  };
}

const nameOf = (ref: TokenRef): string => tokenParts(ref).join(' ');
