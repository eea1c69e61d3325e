import { isByIdentity, type Effect, type Selector, type Terms } from '../../rules/index.js';

export interface ToldRule {
  readonly seq: bigint;
  readonly effect: Effect;
  readonly selector: Selector;
  readonly orderedMs: number;
  /** Epoch seconds. */
  readonly before: number | undefined;
  readonly until: number | undefined;
  readonly resume: boolean;
  readonly reauthenticate: boolean;
  /** For a block that an enabling ended: the moment of the resulting `revoke`, epoch milliseconds. */
  readonly turnedMs: number | undefined;
}

/** Computes from the ledger the same terms that nodes fold from the control log (`control`, `state.ts`). */
export function termsOf({
  seq,
  effect,
  selector,
  orderedMs,
  before,
  until,
  resume,
  reauthenticate,
  turnedMs,
}: ToldRule): Terms {
  const byIdentity = isByIdentity(selector);
  if (turnedMs !== undefined)
    return { seq, effect: 'revoke', byIdentity, before: seconds(turnedMs), asOfOrder: false, reauthenticate: false };
  return {
    seq,
    effect,
    byIdentity,
    before: byIdentity ? seconds(orderedMs) : (before ?? seconds(orderedMs)),
    asOfOrder: effect === 'revoke' && before === undefined,
    reauthenticate,
    ...(until === undefined ? {} : { until }),
    ...(resume ? { resume: true } : {}),
  };
}

const seconds = (milliseconds: number): number => Math.floor(milliseconds / 1000);
