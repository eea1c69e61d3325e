import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import * as oauth from 'openid-client';
import {
  ID_JAG_TOKEN_TYPE,
  ID_TOKEN_TOKEN_TYPE,
  JWT_BEARER_GRANT_TYPE,
  TOKEN_EXCHANGE_GRANT_TYPE,
} from '../../contracts/index.js';
import type { Log } from '../../platform/log/index.js';
import { sendHtml } from '../http-forms.js';
import type { BoundServer } from '../http-server.js';
import { SIGNING_ALGORITHM } from '../signing-key.js';

export const CALLBACK_PATH = '/callback';
export const SIGNED_OUT_PATH = '/signed-out';
const SESSION_COOKIE = 'client_session';

/** A registration of this client at one resource application. */
export interface ClientRegistration {
  readonly app: string;
  readonly issuer: string;
  readonly resource: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

export interface ClientAppOptions {
  readonly name: string;
  readonly server: BoundServer;
  readonly idp: { readonly issuer: string; readonly clientId: string; readonly clientSecret: string };
  readonly registrations: readonly ClientRegistration[];
  readonly log: Log;
}

export interface RedeemedToken {
  readonly accessToken: string;
  readonly expiresIn: number | undefined;
  readonly scope: string | undefined;
}

/** A client application, or the application around an AI agent. It signs users in and acts for them at resource applications. */
export interface ClientApp {
  readonly name: string;
  readonly idpClientId: string;
  /** URL at which a browser begins to sign in. */
  readonly signInUrl: string;
  readonly signOutUrl: string;
  registrationAt(app: string): ClientRegistration;
  isSignedIn(sub: string): boolean;
  /** Exchanges the signed-in user's ID token for an ID-JAG (RFC 8693) and returns the ID-JAG. Throws openid-client's errors. */
  exchange(sub: string, app: string, scope?: string): Promise<string>;
  /** Redeems an ID-JAG at the application's authorization server (RFC 7523). Throws openid-client's errors. */
  redeem(app: string, idJag: string): Promise<RedeemedToken>;
  /** Makes one API call and returns the unchanged response. */
  call(app: string, accessToken: string, method: string, path: string): Promise<Response>;
  stop(): Promise<void>;
}

interface PendingSignIn {
  readonly codeVerifier: string;
  readonly state: string;
  readonly nonce: string;
}

export async function createClientApp(options: ClientAppOptions): Promise<ClientApp> {
  const { server, idp, registrations } = options;
  const log = options.log.child({ party: options.name });
  const redirectUri = `${server.origin}${CALLBACK_PATH}`;
  const atIdp = await discover(idp.issuer, idp.clientId, idp.clientSecret);
  const atApp = new Map(
    await Promise.all(
      registrations.map(async (registration) => {
        const config = await discover(registration.issuer, registration.clientId, registration.clientSecret);
        return [registration.app, { registration, config }] as const;
      }),
    ),
  );
  const pending = new Map<string, PendingSignIn>();
  const idTokens = new Map<string, string>();
  const registrationOf = (app: string) => {
    const found = atApp.get(app);
    if (found === undefined) throw new TypeError(`${options.name} is not registered at ${app}`);
    return found;
  };

  async function startSignIn(response: ServerResponse): Promise<void> {
    const session = randomBytes(16).toString('base64url');
    const signIn = {
      codeVerifier: oauth.randomPKCECodeVerifier(),
      state: oauth.randomState(),
      nonce: oauth.randomNonce(),
    };
    pending.set(session, signIn);
    const url = oauth.buildAuthorizationUrl(atIdp, {
      redirect_uri: redirectUri,
      scope: 'openid',
      state: signIn.state,
      nonce: signIn.nonce,
      code_challenge: await oauth.calculatePKCECodeChallenge(signIn.codeVerifier),
      code_challenge_method: 'S256',
      // The exchange carries the session on into the ID-JAG, so that everything granted through the session can be revoked with it.
      claims: JSON.stringify({ id_token: { sid: null } }),
    });
    response
      .writeHead(302, {
        location: url.href,
        'set-cookie': `${SESSION_COOKIE}=${session}; HttpOnly; SameSite=Lax; Path=/`,
      })
      .end();
  }

  async function finishSignIn(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const session = new RegExp(`(?:^|; )${SESSION_COOKIE}=([\\w-]+)`).exec(request.headers.cookie ?? '')?.[1] ?? '';
    const signIn = pending.get(session);
    pending.delete(session);
    if (signIn === undefined) return sendHtml(response, 400, page('This sign-in was not started here.'));
    const tokens = await oauth.authorizationCodeGrant(atIdp, new URL(request.url ?? '', server.origin), {
      pkceCodeVerifier: signIn.codeVerifier,
      expectedState: signIn.state,
      expectedNonce: signIn.nonce,
      idTokenExpected: true,
    });
    const sub = tokens.claims()?.sub;
    if (sub === undefined || tokens.id_token === undefined)
      return sendHtml(response, 502, page('The identity provider named nobody.'));
    idTokens.set(sub, tokens.id_token);
    sendHtml(response, 200, page('You have signed in.'));
  }

  function startSignOut(url: URL, response: ServerResponse): void {
    const sub = url.searchParams.get('sub') ?? '';
    const idToken = idTokens.get(sub);
    if (idToken === undefined) return sendHtml(response, 400, page('This user has not signed in.'));
    const location = oauth.buildEndSessionUrl(atIdp, {
      id_token_hint: idToken,
      post_logout_redirect_uri: `${server.origin}${SIGNED_OUT_PATH}`,
    });
    response.writeHead(302, { location: location.href }).end();
  }

  async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', server.origin);
    if (url.pathname === '/sign-in') return startSignIn(response);
    if (url.pathname === CALLBACK_PATH) return finishSignIn(request, response);
    if (url.pathname === '/sign-out') return startSignOut(url, response);
    if (url.pathname === SIGNED_OUT_PATH) return sendHtml(response, 200, page('You have signed out.'));
    sendHtml(response, 404, page('There is nothing here.'));
  }

  server.serve((request, response) => {
    route(request, response).catch((error: unknown) => {
      log.warn({ error: errorCode(error) }, 'sign-in failed');
      if (!response.headersSent) sendHtml(response, 401, page('You were not signed in.'));
    });
  });

  return {
    name: options.name,
    idpClientId: idp.clientId,
    signInUrl: `${server.origin}/sign-in`,
    signOutUrl: `${server.origin}/sign-out`,
    registrationAt: (app) => registrationOf(app).registration,
    isSignedIn: (sub) => idTokens.has(sub),
    async exchange(sub, app, scope) {
      const idToken = idTokens.get(sub);
      if (idToken === undefined) throw new TypeError(`${sub} has not signed in to ${options.name}`);
      const { registration } = registrationOf(app);
      const answer = await oauth.genericGrantRequest(atIdp, TOKEN_EXCHANGE_GRANT_TYPE, {
        requested_token_type: ID_JAG_TOKEN_TYPE,
        audience: registration.issuer,
        resource: registration.resource,
        subject_token: idToken,
        subject_token_type: ID_TOKEN_TOKEN_TYPE,
        ...(scope === undefined ? {} : { scope }),
      });
      if (answer['issued_token_type'] !== ID_JAG_TOKEN_TYPE)
        throw new Error('the identity provider issued something else');
      return answer.access_token;
    },
    async redeem(app, idJag) {
      const answer = await oauth.genericGrantRequest(registrationOf(app).config, JWT_BEARER_GRANT_TYPE, {
        assertion: idJag,
      });
      return { accessToken: answer.access_token, expiresIn: answer.expires_in, scope: answer.scope };
    },
    call(app, accessToken, method, path) {
      const { registration, config } = registrationOf(app);
      return fetchApi(config, accessToken, new URL(`${registration.resource}${path}`), method);
    },
    stop: () => server.stop(),
  };
}

async function discover(issuer: string, clientId: string, clientSecret: string): Promise<oauth.Configuration> {
  return oauth.discovery(
    new URL(issuer),
    clientId,
    { client_secret: clientSecret, id_token_signed_response_alg: SIGNING_ALGORITHM },
    oauth.ClientSecretBasic(clientSecret),
    // Plain HTTP is allowed because the sandbox is on loopback only and has no certificates.
    { execute: [oauth.allowInsecureRequests] },
  );
}

/** Returns the response unchanged: openid-client turns a challenge into an error, and the sandbox wants to show the challenge. */
async function fetchApi(config: oauth.Configuration, accessToken: string, url: URL, method: string): Promise<Response> {
  try {
    return await oauth.fetchProtectedResource(config, accessToken, url, method);
  } catch (error) {
    if (error instanceof oauth.WWWAuthenticateChallengeError) return error.response;
    throw error;
  }
}

/** Logs only the error code, because openid-client's errors carry the response, which may contain a token. */
const errorCode = (error: unknown): string =>
  error instanceof oauth.ResponseBodyError || error instanceof oauth.AuthorizationResponseError
    ? error.error
    : String((error as Error)?.name);

const page = (text: string): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>Client</title><p>${text}</p></html>`;
