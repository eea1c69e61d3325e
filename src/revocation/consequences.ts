import type { Caller, ControlState, Tenant } from '../control/index.js';
import type { Selection, Selector } from '../rules/index.js';
import { createBeside, within } from './beside.js';
import { askedOf, isConfirmed, isConfirmedUncounted, isMany, mayBeWide, refuseUnconfirmed, refuseUncounted, type Asked } from './confirmation.js';
import type { Order } from './order-input.js';
import type { Preview, PreviewReader } from './preview/preview.pg.js';
import { readsAll } from './reach.js';
import type { OtherRules, Surroundings, SurroundingsReader } from './preview/surroundings.pg.js';

/** Orders that are counted at once before they are taken. */
const ASKED_AT_ONCE = 4;
/** Look-ups at once for the answers of orders that are in force. */
const TOLD_AT_ONCE = 8;

/** How long is waited, in milliseconds. */
export interface Waits {
  /** For all that is counted before an order is taken. */
  readonly askMs: number;
  /** For what an order comes to, from when it is in force. */
  readonly tellMs: number;
}
const DEFAULT_WAITS: Waits = { askMs: 2_000, tellMs: 500 };

/** What an order or a lift comes to, beside being in force. Null: it could not be found out in time; the preview tells. */
export interface Consequences {
  /** What the rule hits, counted about when it was ordered. */
  readonly hits: Preview | null;
  /** Members of the selector whose names nobody has ever told of. */
  readonly unknown: Surroundings['unknown'] | null;
  readonly other_rules: OtherRules | null;
}

interface Around {
  readonly tenant: Tenant;
  readonly caller: Caller;
  readonly selection: Selection;
  /** Rules that are not other ones. */
  readonly apart: readonly string[];
}

export interface ConsequencesOptions {
  readonly state: ControlState;
  readonly previews: PreviewReader;
  readonly surroundings: SurroundingsReader;
  /** Percent; see `confirmation.ts`. */
  readonly share: number;
  readonly waits?: Waits | undefined;
  /** Epoch seconds. */
  readonly now: () => number;
}

export type ConsequencesReader = ReturnType<typeof createConsequences>;

/** Finds out what an order comes to. It holds up no order but one that may hit many, and that one for `askMs` at most. */
export function createConsequences({ state, previews, surroundings, share, waits: { askMs, tellMs } = DEFAULT_WAITS, now }: ConsequencesOptions) {
  const asking = createBeside({ atOnce: ASKED_AT_ONCE, timeoutMs: askMs });
  const telling = createBeside({ atOnce: TOLD_AT_ONCE, timeoutMs: tellMs });
  const everything = (order: Order): Order => ({ ...order, selector: { all: true } });

  async function askedBy(tenant: Tenant, order: Order, hits: Preview, skew: number, timeoutMs: number): Promise<Asked | undefined> {
    if (!isMany(hits)) return undefined;
    const all = await asking(() => previews.read(tenant, everything(order), skew), timeoutMs);
    return askedOf(hits, all, share);
  }

  return {
    /**
     * Refuses an order that hits more than the share unless it is confirmed, and answers with what was counted for that, if anything
     * was. A caller that may not read everything is not told how much there is. `isReplay` is asked before a refusal: a repetition of an order that was taken is not asked again.
     */
    async ask(caller: Caller, tenant: Tenant, order: Order, skew: number, isReplay: () => Promise<boolean>): Promise<Preview | undefined> {
      if (share >= 100 || !mayBeWide(order.selector)) return undefined;
      const endsAt = performance.now() + askMs;
      const hits = await asking(() => previews.read(tenant, order, skew));
      if (hits === null) {
        if (isConfirmedUncounted(order.confirm) || (await isReplay())) return undefined;
        throw refuseUncounted();
      }
      const asked = await askedBy(tenant, order, hits, skew, Math.max(0, endsAt - performance.now()));
      if (asked && !isConfirmed(order.confirm, asked) && !(await isReplay())) throw refuseUnconfirmed(readsAll(caller) ? asked : { ...asked, of: null }, hits, order.confirm);
      return hits;
    },

    /** The number that the order will have to name, and the names that nobody has told of. */
    async foresee(tenant: Tenant, order: Order, hits: Preview, skew: number): Promise<{ readonly confirm?: number; readonly unknown: Surroundings['unknown'] | null }> {
      const asked = share < 100 && mayBeWide(order.selector) ? await askedBy(tenant, order, hits, skew, askMs) : undefined;
      const unknown = await telling(() => surroundings.readUnknown(tenant, order.selector, state.sources()));
      return { ...(asked ? { confirm: asked.number } : {}), unknown: unknownBeside(hits, unknown) };
    },

    /** Begins counting what the order hits, beside the order. */
    count: (tenant: Tenant, order: Order, skew: number): Promise<Preview | null> => telling(() => previews.read(tenant, order, skew)),

    /** To be asked when the rule is in force. */
    async tell(around: Around, counting: Promise<Preview | null>): Promise<Consequences> {
      const [hits, found] = await Promise.all([within(tellMs, counting), telling(() => surroundings.read({ ...around, sources: state.sources(), now: now() }))]);
      return { hits, unknown: unknownBeside(hits, found?.unknown ?? null), other_rules: found?.other_rules ?? null };
    },
  };
}

/** A rule that hits something names nothing unknown: the facts of a token may have a name that nothing else has. */
const unknownBeside = (hits: Preview | null, unknown: readonly (keyof Selector)[] | null): readonly (keyof Selector)[] | null =>
  hits !== null && hits.tokens + hits.grants > 0 ? [] : unknown;
