import { RescindError, timeText } from '../contracts/index.js';
import type { Appended, Confirmed, ControlFollower, ControlState, Tenant } from '../control/index.js';

/** Answer to a confirmed order. */
export interface Confirmation {
  readonly id: string;
  /** Position in the control log; decimal. */
  readonly seq: string;
  /** Nodes that have applied the rule, guards that they vouch for, and nodes that left during the wait. */
  readonly confirmed: Confirmed;
  /** Milliseconds from the order's arrival until it is in force. */
  readonly ms: number;
  /**
   * The rule does not stop grants later than this (RFC 3339). Null: a block without an end, a token, an ID-JAG or a session, or
   * nothing is stopped.
   */
  readonly regrant_after: string | null;
  /** Whether the order had been given before, under the same Idempotency-Key or as the same lift. */
  readonly replayed: boolean;
}

/** Waits for the confirmation. `stopping`: the rule that stops something from now on, if there is one. */
export async function confirmInForce(
  follower: ControlFollower,
  tenant: Tenant,
  id: string,
  stopping: string | undefined,
  appended: Appended,
  startedAt: number,
): Promise<Confirmation> {
  const seq = appended.lastSeq;
  let confirmed: Confirmed;
  try {
    confirmed = await follower.whenInForce(seq, tenant.id);
  } catch (error) {
    if (!(error instanceof RescindError) || error.code !== 'not-confirmed') throw error;
    throw new RescindError('not-confirmed', { cause: error.cause, extensions: { id, seq: String(seq) } });
  }
  return {
    id,
    seq: String(seq),
    confirmed,
    ms: Math.round((performance.now() - startedAt) * 10) / 10,
    regrant_after: stopping === undefined ? null : regrantAfter(follower.state, tenant, stopping),
    replayed: appended.replayed,
  };
}

/** Uses the largest skew of the tenant's sources, because the source of a future token is unknown. */
function regrantAfter(state: ControlState, tenant: Tenant, id: string): string | null {
  const rule = tenant.rules.get(id);
  // A token, an ID-JAG or a session is never granted again.
  if (!rule || rule.byIdentity) return null;
  const moment = rule.effect === 'revoke' ? rule.before : rule.until;
  if (moment === undefined) return null;
  return timeText(moment + largestSkew(state, tenant));
}

/** The largest skew of the tenant's sources. */
export const largestSkew = (state: ControlState, tenant: Tenant): number =>
  Math.max(
    0,
    ...[...state.sources()].filter((source) => source.tenant === tenant.id).map(({ profile }) => profile.skew),
  );
