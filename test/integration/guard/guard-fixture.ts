import { createGuard, type Answer, type Guard, type GuardOptions } from '../../../src/guard/index.js';
import { GUARD, type FeedService } from '../feeds/feed-service.js';

export const guardOf = (service: FeedService, over: Partial<GuardOptions> = {}): Guard =>
  createGuard({ rescind: service.url, credentials: { id: GUARD, secret: service.secret(GUARD) }, ...over });

/** One that has a lease. */
export async function startGuard(service: FeedService, over: Partial<GuardOptions> = {}): Promise<Guard> {
  const guard = guardOf(service, over);
  guard.start();
  if (!(await guard.ready)) throw new Error('the guard was stopped');
  return guard;
}

/** The answer that the guard gives by itself; undefined when it asks. */
export function localAnswer(guard: Guard, token: string): Answer | undefined {
  const answer = guard.check(token);
  return answer instanceof Promise ? undefined : answer;
}

/** Asked about and remembered. */
export async function learn(guard: Guard, token: string): Promise<void> {
  const answer = await guard.check(token);
  if (answer.state !== 'active') throw new Error(`the token is ${answer.state}`);
  if (localAnswer(guard, token)?.state !== 'active') throw new Error('the token was not kept');
}

const POLL_MS = 10;

/** Looks again until it holds. Jest's own limit ends a wait for what never comes. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
}
