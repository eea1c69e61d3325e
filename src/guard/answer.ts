import type { ActiveIntrospection } from '../contracts/index.js';

/** The claims of an active token (RFC 7662, 2.2), as the authorization server issued them. Frozen, because one answer serves many calls. */
export type TokenClaims = Omit<ActiveIntrospection, 'active'>;

/** The token is active; `claims` as RFC 7662, 2.2 has them. */
export interface ActiveAnswer {
  readonly state: 'active';
  readonly claims: TokenClaims;
}

/** The token is not active: revoked, unknown, expired, or outside the caller's bounds. No reason is given. */
export interface InactiveAnswer {
  readonly state: 'inactive';
  /** Present if Rescind has recorded the token for this caller's resources; absent for a text that anybody could have made up. */
  readonly recorded?: true;
}

/** Neither the guard nor a node could decide. The call that came with the token MUST NOT be served. */
export interface UnavailableAnswer {
  readonly state: 'unavailable';
  /** Seconds, for `Retry-After`. */
  readonly retryAfter: number;
}

/** Result of a check. Only `active` permits the call. */
export type Answer = ActiveAnswer | InactiveAnswer | UnavailableAnswer;

export const INACTIVE: InactiveAnswer = Object.freeze({ state: 'inactive' });
export const INACTIVE_RECORDED: InactiveAnswer = Object.freeze({ state: 'inactive', recorded: true });

export const unavailable = (retryAfter: number = DEFAULT_RETRY_AFTER_S): UnavailableAnswer => ({
  state: 'unavailable',
  retryAfter,
});

export const DEFAULT_RETRY_AFTER_S = 1;
/** Seconds. A longer time that a node asks for is cut to this, so that no client of the application is sent away for an hour. */
export const MAX_RETRY_AFTER_S = 30;
