import type { Caller, ControlState, Tenant } from '../control/index.js';
import type { Selection, Selector } from '../rules/index.js';
import { createBeside, within } from './beside.js';
import {
  askedOf,
  isConfirmed,
  isConfirmedUncounted,
  isMany,
  mayBeWide,
  refuseUnconfirmed,
  refuseUncounted,
  type Asked,
} from './confirmation.js';
import { requireFreshSignIn } from './fresh-sign-in.js';
import type { Order } from './order-input.js';
import type { Preview, PreviewReader } from '../selection/index.js';
import { readsAll } from './reach.js';
import type { OtherRules, Surroundings, SurroundingsReader } from './preview/surroundings.pg.js';

/** Orders that may be counted at the same time before they are stored. */
const ASKED_AT_ONCE = 4;
/** Look-ups that may run at the same time for the answers of orders in force. */
const TOLD_AT_ONCE = 8;

/** Limits of waiting, in milliseconds. */
export interface Waits {
  /** For all counting before an order is stored. */
  readonly askMs: number;
  /** For the consequences of an order, from the moment it is in force. */
  readonly tellMs: number;
}
const DEFAULT_WAITS: Waits = { askMs: 2_000, tellMs: 500 };

/** Consequences of an order or a lift. Null: not found out in time; a preview tells. */
export interface Consequences {
  /** Numbers that the rule hits, counted at about the time of the order. */
  readonly hits: Preview | null;
  /** Members of the selector that name what no event has mentioned. */
  readonly unknown: Surroundings['unknown'] | null;
  readonly other_rules: OtherRules | null;
}

interface Around {
  readonly tenant: Tenant;
  readonly caller: Caller;
  readonly selection: Selection;
  /** Rules that do not count as other rules. */
  readonly apart: readonly string[];
}

export interface ConsequencesOptions {
  readonly state: ControlState;
  readonly previews: PreviewReader;
  readonly surroundings: SurroundingsReader;
  /** Share in percent; see `confirmation.ts`. */
  readonly share: number;
  /** An order of a person that hits more users needs a fresh sign-in. */
  readonly freshUsers: number;
  readonly waits?: Waits | undefined;
  /** Clock in epoch seconds. */
  readonly now: () => number;
}

export type ConsequencesReader = ReturnType<typeof createConsequences>;

/** Finds out the consequences of orders. Delays only orders that may hit many, and those for `askMs` at most. */
export function createConsequences({
  state,
  previews,
  surroundings,
  share,
  freshUsers,
  waits: { askMs, tellMs } = DEFAULT_WAITS,
  now,
}: ConsequencesOptions) {
  const asking = createBeside({ atOnce: ASKED_AT_ONCE, timeoutMs: askMs });
  const telling = createBeside({ atOnce: TOLD_AT_ONCE, timeoutMs: tellMs });
  const everything = (order: Order): Order => ({ ...order, selector: { all: true } });

  async function askedBy(
    tenant: Tenant,
    order: Order,
    hits: Preview,
    skew: number,
    timeoutMs: number,
  ): Promise<Asked | undefined> {
    if (!isMany(hits)) return undefined;
    const all = await asking(() => previews.read(tenant, everything(order), skew), timeoutMs);
    return askedOf(hits, all, share);
  }

  return {
    /**
     * Refuses an order of a person that hits many without a fresh sign-in, and one that hits more than the share unless it is confirmed. Resolves to the numbers counted for that, if any. A caller that
     * may not read every rule is not told the total. `isReplay` is asked before a refusal, because a repetition of a stored order needs no
     * new confirmation.
     */
    async ask(
      caller: Caller,
      tenant: Tenant,
      order: Order,
      skew: number,
      isReplay: () => Promise<boolean>,
    ): Promise<Preview | undefined> {
      const fresh = { most: freshUsers, now: now() };
      if (order.selector.all === true) requireFreshSignIn(caller, { users: null, ...fresh });
      if ((share >= 100 && caller.person === undefined) || !mayBeWide(order.selector)) return undefined;
      const endsAt = performance.now() + askMs;
      const hits = await asking(() => previews.read(tenant, order, skew));
      requireFreshSignIn(caller, { users: hits === null || hits.at_least ? null : hits.users, ...fresh });
      if (share >= 100) return hits ?? undefined;
      if (hits === null) {
        if (isConfirmedUncounted(order.confirm) || (await isReplay())) return undefined;
        throw refuseUncounted();
      }
      const asked = await askedBy(tenant, order, hits, skew, Math.max(0, endsAt - performance.now()));
      if (asked && !isConfirmed(order.confirm, asked) && !(await isReplay()))
        throw refuseUnconfirmed(readsAll(caller) ? asked : { ...asked, of: null }, hits, order.confirm);
      return hits;
    },

    /** Returns the number that the order must name, and the names that no event has mentioned. */
    async foresee(
      tenant: Tenant,
      order: Order,
      hits: Preview,
      skew: number,
    ): Promise<{ readonly confirm?: number; readonly unknown: Surroundings['unknown'] | null }> {
      const asked =
        share < 100 && mayBeWide(order.selector) ? await askedBy(tenant, order, hits, skew, askMs) : undefined;
      const unknown = await telling(() => surroundings.readUnknown(tenant, order.selector, state.sources()));
      return { ...(asked ? { confirm: asked.number } : {}), unknown: unknownBeside(hits, unknown) };
    },

    /** Begins to count what the order hits, without delaying the order. */
    count: (tenant: Tenant, order: Order, skew: number): Promise<Preview | null> =>
      telling(() => previews.read(tenant, order, skew)),

    /** Resolves to the consequences. Call it when the rule is in force. */
    async tell(around: Around, counting: Promise<Preview | null>): Promise<Consequences> {
      const [hits, found] = await Promise.all([
        within(tellMs, counting),
        telling(() => surroundings.read({ ...around, sources: state.sources(), now: now() })),
      ]);
      return { hits, unknown: unknownBeside(hits, found?.unknown ?? null), other_rules: found?.other_rules ?? null };
    },
  };
}

/** Reports no unknown names for a rule that hits something: a token's facts may contain a name that nothing else has. */
const unknownBeside = (
  hits: Preview | null,
  unknown: readonly (keyof Selector)[] | null,
): readonly (keyof Selector)[] | null => (hits !== null && hits.tokens + hits.grants > 0 ? [] : unknown);
