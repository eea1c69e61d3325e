import type { IncomingMessage } from 'node:http';
import { RescindError } from '../../contracts/index.js';
import type { ControlState } from '../../control/index.js';
import type { PeopleConfig } from '../../platform/config/index.js';
import type { Log } from '../../platform/log/index.js';
import { LINK_ISSUER } from '../people.js';
import { clearCookie, readCookie, setCookie, SIGN_IN_COOKIE } from '../sessions/cookies.js';
import type { Sessions } from '../sessions/sessions.pg.js';
import type { Links } from './links.pg.js';
import { createProvider, type Attempt } from './provider.js';

/** The first page of the console, to which people go who ask for no other one. */
export const CONSOLE_PATH = '/console/';
/** The page to which the provider sends people back. */
export const CALLBACK_PATH = '/console/callback';
/** Seconds that a person may take to sign in. */
const ATTEMPT_S = 600;

/** The page to which a browser goes next, and the cookies that it keeps. */
export interface Redirect {
  readonly location: string;
  readonly cookies: readonly string[];
}

export interface SignIn {
  /** Begins at the provider. `returnTo`: a path of the console. Rejects with `not-found` if no provider is configured. */
  begin(returnTo: string | undefined, anew: boolean): Promise<Redirect>;
  /** Ends at the provider's answer. `url`: path and query of the request. */
  complete(request: IncomingMessage): Promise<Redirect>;
  /** Signs in by a link. Resolves to the header `Set-Cookie`; rejects with `sign-in-failed` if the link is not good. */
  byLink(code: string): Promise<string>;
  /** Ends the sessions that a logout token names (OpenID Connect Back-Channel Logout 1.0). */
  logOut(token: string): Promise<void>;
}

export interface SignInOptions {
  readonly config: PeopleConfig;
  readonly sessions: Sessions;
  readonly links: Links;
  readonly state: () => ControlState;
  /** URL of the deployment, without a slash at its end. */
  readonly baseUrl: () => string;
  readonly log: Log;
  readonly now?: () => number;
}

export function createSignIn({ config, sessions, links, state, baseUrl, log, now = Date.now }: SignInOptions): SignIn {
  const { provider: configured } = config;
  const provider =
    configured && createProvider({ config: configured, redirectUri: () => `${baseUrl()}${CALLBACK_PATH}`, now });

  function required() {
    if (provider === undefined || configured === undefined)
      throw new RescindError('not-found', {
        detail: 'no identity provider is configured for people (OIDC_ISSUER); `rescind sign-in` makes a link',
      });
    return { provider, configured };
  }

  return {
    async begin(returnTo, anew) {
      const { url, attempt } = await required().provider.begin({ returnTo: pathInConsole(returnTo), anew });
      return { location: url.href, cookies: [setCookie(SIGN_IN_COOKIE, encode(attempt), ATTEMPT_S)] };
    },

    async complete(request) {
      const { provider: asked, configured: from } = required();
      const cookie = readCookie(request.headers.cookie, SIGN_IN_COOKIE);
      const attempt = cookie === undefined ? undefined : decode(cookie);
      if (attempt === undefined)
        throw new RescindError('sign-in-failed', { detail: 'this browser has not begun to sign in, or took too long' });
      const person = await asked.complete(new URL(`${baseUrl()}${request.url ?? ''}`), attempt);
      const tenant = state().tenantByName(from.tenant);
      if (tenant === undefined)
        throw new RescindError('forbidden', { detail: 'the tenant that OIDC_TENANT names does not exist' });
      const session = await sessions.begin({ ...person, tenant: tenant.id });
      log.info({ iss: person.iss, sub: person.sub, roles: person.roles }, 'a person signed in');
      return { location: attempt.returnTo, cookies: [session, clearCookie(SIGN_IN_COOKIE)] };
    },

    async byLink(code) {
      const taken = await links.take(code);
      const caller = taken && state().caller(taken.caller);
      if (taken === undefined || caller === undefined || caller.disabled || caller.roles.admin === undefined)
        throw new RescindError('sign-in-failed', { detail: 'the link was used already, has ended, or is none' });
      log.info({ caller: caller.id }, 'an administrator signed in by a link');
      return sessions.begin({
        tenant: taken.tenant,
        iss: LINK_ISSUER,
        sub: caller.id,
        name: caller.id,
        roles: ['admin'],
        authenticatedAt: now(),
      });
    },

    async logOut(token) {
      const who = await required().provider.readLogout(token);
      const ended = await sessions.endOf(who);
      log.info({ iss: who.iss, ended }, 'the identity provider ended sessions');
    },
  };
}

/** Takes a path of the console alone, so that a link cannot lead from a sign-in to another site. */
function pathInConsole(asked: string | undefined): string {
  if (asked === undefined) return CONSOLE_PATH;
  const url = URL.canParse(asked, 'http://console.invalid') ? new URL(asked, 'http://console.invalid') : undefined;
  const isOwn = url?.origin === 'http://console.invalid' && url.pathname.startsWith(CONSOLE_PATH);
  return isOwn ? `${url.pathname}${url.search}${url.hash}` : CONSOLE_PATH;
}

const encode = (attempt: Attempt): string => Buffer.from(JSON.stringify(attempt)).toString('base64url');

function decode(cookie: string): Attempt | undefined {
  try {
    const { state, nonce, verifier, returnTo, anew } = JSON.parse(
      Buffer.from(cookie, 'base64url').toString('utf8'),
    ) as Record<string, unknown>;
    if (typeof state !== 'string' || typeof nonce !== 'string' || typeof verifier !== 'string') return undefined;
    return { state, nonce, verifier, returnTo: pathInConsole(String(returnTo)), anew: anew === true };
  } catch {
    return undefined;
  }
}
