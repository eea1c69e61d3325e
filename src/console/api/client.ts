import createFetchClient, { type Middleware } from 'openapi-fetch';
import createClient from 'openapi-react-query';
import type { components, paths } from './schema.js';
import { asProblem, type Problem } from './problem.js';
import { isAttended } from './presence.js';
import { thisPage, welcomeUrl } from './sign-in.js';

const UNAUTHENTICATED = 401;
const UNATTENDED_HEADER = 'x-rescind-unattended';
const WELCOME = /^\/console\/welcome\/?$/;

/** Leads who is not signed in, or no longer, to the page where people sign in. An order that needs a fresh sign-in is for its page to tell. */
const leadToSignIn: Middleware = {
  async onResponse({ response }) {
    if (response.status !== UNAUTHENTICATED || WELCOME.test(window.location.pathname)) return;
    const { code } = (await response.clone().json()) as Problem;
    if (code === 'unauthenticated') window.location.assign(welcomeUrl(thisPage()));
  },
};

/** An answer that is refused and says nothing would be taken for one without data. */
const tellRefusal: Middleware = {
  onResponse: ({ response }) => (response.ok ? undefined : asProblem(response)),
};

/** A page that nobody looks at goes on asking. That must not keep the session of a person alive. */
const tellUnattended: Middleware = {
  onRequest({ request }) {
    if (!isAttended()) request.headers.set(UNATTENDED_HEADER, '1');
  },
};

/**
 * The client beneath the hooks, for what they have none for: files, and pages whose cursor stands in a body. The header says that the console itself
 * sends what changes something, which no form of another site can.
 */
export const client = createFetchClient<paths>({
  baseUrl: '/',
  credentials: 'same-origin',
  headers: { 'x-rescind-console': '1' },
});
// Answers pass from the last to the first.
client.use(leadToSignIn, tellUnattended, tellRefusal);

/** Asks who is signed in, and heeds nothing but that nobody is. */
export const askWho = (): Promise<unknown> => client.GET('/v1/me').catch(() => undefined);

const hooks = createClient(client);
type Hook = (...given: readonly unknown[]) => unknown;

/** Pages of a list lie in the cache under a key of their own: another page may ask the same question for one answer. */
const useInfiniteQuery = ((method, path, init, ...rest) =>
  (hooks.useInfiniteQuery as Hook)(method, path, { ...(init as object), inPages: true }, ...rest)) as Hook;

/** Hooks for each endpoint of `/v1`, typed by `schema.d.ts`. The session's cookie goes along. */
export const api = { ...hooks, useInfiniteQuery: useInfiniteQuery as typeof hooks.useInfiniteQuery };

export type Answer<Name extends keyof components['schemas']> = components['schemas'][Name];
