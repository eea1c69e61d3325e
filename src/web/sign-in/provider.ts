import { createRemoteJWKSet, jwtVerify, type JWTPayload } from 'jose';
import * as oidc from 'openid-client';
import { RescindError } from '../../contracts/index.js';
import { PEOPLE_ROLES, type PeopleRole, type ProviderConfig } from '../../platform/config/index.js';

/** Seconds that an answer of the provider may take. */
const TIMEOUT_S = 10;
const SCOPE = 'openid profile email';
/** The event of a logout token (OpenID Connect Back-Channel Logout 1.0, section 2.4). */
const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout';
/** A person who must sign in anew has done so within so many seconds. */
const ANEW_S = 300;
/** A logout token is taken for so long after it was issued, seconds. */
const LOGOUT_TOKEN_S = 300;

/** The part of a sign-in that the browser keeps while it is under way. */
export interface Attempt {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  /** Path of the console to go back to. */
  readonly returnTo: string;
  /** The person must sign in anew, even if the provider remembers them. */
  readonly anew: boolean;
}

export interface SignedInAtProvider {
  readonly iss: string;
  readonly sub: string;
  readonly sid: string | undefined;
  readonly name: string | undefined;
  readonly roles: readonly PeopleRole[];
  /** Epoch milliseconds; 0 if the provider does not say. */
  readonly authenticatedAt: number;
}

/** Signs people in at the OpenID provider by the code flow with PKCE (OpenID Connect Core 1.0, section 3.1; RFC 7636). */
export interface Provider {
  /** Resolves to the URL at which the person signs in. Rejects with `sign-in-unavailable` if the provider cannot be reached. */
  begin(
    attempt: Omit<Attempt, 'state' | 'nonce' | 'verifier'>,
  ): Promise<{ readonly url: URL; readonly attempt: Attempt }>;
  /** Resolves to the person. Rejects with `sign-in-failed` if the answer is not one to this attempt. */
  complete(callback: URL, attempt: Attempt): Promise<SignedInAtProvider>;
  /** Resolves to whom a logout token names. Rejects with `sign-in-failed` if the token is not good. */
  readLogout(token: string): Promise<{ readonly iss: string; readonly sub?: string; readonly sid?: string }>;
}

export interface ProviderOptions {
  readonly config: ProviderConfig;
  readonly redirectUri: () => string;
  readonly now?: () => number;
}

export function createProvider({ config, redirectUri, now = Date.now }: ProviderOptions): Provider {
  let discovered: Promise<oidc.Configuration> | undefined;

  /** Asks once; after a failure the next sign-in asks again. */
  function discover(): Promise<oidc.Configuration> {
    const issuer = new URL(config.issuer);
    const execute = issuer.protocol === 'http:' ? [oidc.allowInsecureRequests] : [];
    discovered ??= oidc
      .discovery(issuer, config.clientId, config.clientSecret.reveal(), undefined, { execute, timeout: TIMEOUT_S })
      .catch((cause: unknown) => {
        discovered = undefined;
        throw new RescindError('sign-in-unavailable', { cause });
      });
    return discovered;
  }

  async function claimsOf(tokens: Awaited<ReturnType<typeof oidc.authorizationCodeGrant>>): Promise<JWTPayload> {
    const claims = tokens.claims()!;
    if (claims[config.rolesClaim] !== undefined) return claims;
    const more = await oidc.fetchUserInfo(await discover(), tokens.access_token, claims.sub);
    return { ...more, ...claims };
  }

  return {
    async begin({ returnTo, anew }) {
      const provider = await discover();
      const attempt: Attempt = {
        state: oidc.randomState(),
        nonce: oidc.randomNonce(),
        verifier: oidc.randomPKCECodeVerifier(),
        returnTo,
        anew,
      };
      const url = oidc.buildAuthorizationUrl(provider, {
        redirect_uri: redirectUri(),
        scope: SCOPE,
        state: attempt.state,
        nonce: attempt.nonce,
        code_challenge: await oidc.calculatePKCECodeChallenge(attempt.verifier),
        code_challenge_method: 'S256',
        ...(anew ? { prompt: 'login', max_age: '0' } : {}),
      });
      return { url, attempt };
    },

    async complete(callback, { state, nonce, verifier, anew }) {
      const provider = await discover();
      try {
        const tokens = await oidc.authorizationCodeGrant(provider, callback, {
          expectedState: state,
          expectedNonce: nonce,
          pkceCodeVerifier: verifier,
          idTokenExpected: true,
          ...(anew ? { maxAge: ANEW_S } : {}),
        });
        const claims = await claimsOf(tokens);
        return personOf(claims, config, now());
      } catch (cause) {
        if (cause instanceof RescindError) throw cause;
        throw new RescindError('sign-in-failed', { cause });
      }
    },

    async readLogout(token) {
      const provider = await discover();
      const { issuer, jwks_uri: keys } = provider.serverMetadata();
      if (keys === undefined) throw new RescindError('sign-in-failed', { detail: 'the provider names no keys' });
      try {
        const { payload } = await jwtVerify(
          token,
          createRemoteJWKSet(new URL(keys), { timeoutDuration: TIMEOUT_S * 1_000 }),
          {
            issuer,
            audience: config.clientId,
            maxTokenAge: LOGOUT_TOKEN_S,
            clockTolerance: 5,
            currentDate: new Date(now()),
          },
        );
        return loggedOut(payload);
      } catch (cause) {
        if (cause instanceof RescindError) throw cause;
        throw new RescindError('sign-in-failed', {
          cause,
          detail: 'the logout token is not one of the provider for Rescind',
        });
      }
    },
  };
}

function personOf(claims: JWTPayload, { rolesClaim, roles }: ProviderConfig, nowMs: number): SignedInAtProvider {
  const values = [claims[rolesClaim]].flat().filter((value): value is string => typeof value === 'string');
  const own = PEOPLE_ROLES.filter((role) => values.some((value) => roles.get(value)?.includes(role)));
  if (own.length === 0)
    throw new RescindError('forbidden', { detail: 'this account has no role in Rescind; ask your administrator' });
  const text = (name: string): string | undefined => {
    const value = claims[name];
    return typeof value === 'string' && value !== '' ? value.slice(0, 256) : undefined;
  };
  return {
    iss: claims.iss!,
    sub: claims.sub!,
    sid: text('sid'),
    name: text('name') ?? text('preferred_username') ?? text('email'),
    roles: own,
    authenticatedAt: typeof claims['auth_time'] === 'number' ? Math.min(claims['auth_time'] * 1_000, nowMs) : 0,
  };
}

/** OpenID Connect Back-Channel Logout 1.0, section 2.6. */
function loggedOut({ iss, sub, sid, events, nonce }: JWTPayload): { iss: string; sub?: string; sid?: string } {
  const isLogout = typeof events === 'object' && events !== null && LOGOUT_EVENT in events;
  const session = typeof sid === 'string' ? sid : undefined;
  if (!isLogout || nonce !== undefined || (sub === undefined && session === undefined))
    throw new RescindError('sign-in-failed', { detail: 'the token is no logout token' });
  return { iss: iss!, ...(sub === undefined ? {} : { sub }), ...(session === undefined ? {} : { sid: session }) };
}
