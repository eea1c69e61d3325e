import { RescindError } from '../contracts/index.js';
import type { Caller } from '../control/index.js';

/** A sign-in counts as fresh for so long, seconds. */
const FRESH_S = 300;

/**
 * Refuses an order of a person that may hit more users than `most`, unless they signed in within the last five minutes: a browser that was left
 * open must not stop an organisation. `users`: null if nobody knows how many. Registered callers sign each request.
 */
export function requireFreshSignIn(
  { person }: Pick<Caller, 'person'>,
  { users, most, now }: { readonly users: number | null; readonly most: number; readonly now: number },
): void {
  if (person === undefined || (users !== null && users <= most)) return;
  if (person.authenticatedAt > now - FRESH_S) return;
  throw new RescindError('sign-in-again', {
    detail: `${users === null ? 'the rule may hit everybody' : `the rule hits ${users} users`}, and the sign-in is older than five minutes; nothing was ordered`,
    extensions: { max_age: FRESH_S },
  });
}
