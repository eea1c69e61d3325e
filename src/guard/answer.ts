import type { ActiveIntrospection } from '../contracts/index.js';

/** RFC 7662, 2.2, as the authorization server issued it. Frozen: one answer serves many calls. */
export type TokenClaims = Omit<ActiveIntrospection, 'active'>;

export interface ActiveAnswer {
  readonly state: 'active';
  readonly claims: TokenClaims;
}

/** Never active: revoked, unknown, expired, or nothing that this caller may know of. No reason is given. */
export interface InactiveAnswer {
  readonly state: 'inactive';
  /** Rescind has the token on record for this caller's resources; absent for a text that anybody could have made up. */
  readonly recorded?: true;
}

/** Nobody could tell. The call that came with the token MUST NOT be served. */
export interface UnavailableAnswer {
  readonly state: 'unavailable';
  /** Seconds, for `Retry-After`. */
  readonly retryAfter: number;
}

export type Answer = ActiveAnswer | InactiveAnswer | UnavailableAnswer;

export const INACTIVE: InactiveAnswer = Object.freeze({ state: 'inactive' });
export const INACTIVE_RECORDED: InactiveAnswer = Object.freeze({ state: 'inactive', recorded: true });

export const unavailable = (retryAfter: number = DEFAULT_RETRY_AFTER_S): UnavailableAnswer => ({ state: 'unavailable', retryAfter });

export const DEFAULT_RETRY_AFTER_S = 1;
/** A node that asks for more is not believed for longer: a client of ours should not be sent away for an hour. */
export const MAX_RETRY_AFTER_S = 30;
