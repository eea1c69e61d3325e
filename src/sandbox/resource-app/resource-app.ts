import { createRemoteJWKSet, type JWTVerifyGetKey } from 'jose';
import type { ClientMetadata, ResourceServer } from 'oidc-provider';
import { ID_JAG_GRANT_PROFILE, JWT_BEARER_GRANT_TYPE } from '../../contracts/index.js';
import type { Guard } from '../../guard/index.js';
import type { Log } from '../../platform/log/index.js';
import type { EventPublisher } from '../event-publisher.js';
import type { BoundServer } from '../http-server.js';
import { createProvider, loadProviderModule } from '../provider.js';
import { createIntrospection, guardedIntrospection, type RescindAccess } from '../rescind-introspection.js';
import { SIGNING_ALGORITHM, type SigningKey } from '../signing-key.js';
import { createApi, type ApiRoute } from './api.js';
import type { Account, AssertionPolicy } from './assertion.js';
import { createRedemption, REDEMPTION_PARAMETERS } from './redemption.js';
import { createReplayGuard } from './replay-guard.js';

/** Design, section 1: access tokens that come from an ID-JAG live 10 to 15 minutes. */
const TOKEN_LIFETIME_SECONDS = 600;

export interface ResourceAppClient {
  readonly clientId: string;
  readonly clientSecret: string;
}

export interface ResourceAppOptions {
  readonly name: string;
  /** The authorization server and the API have different origins, as in most products. */
  readonly authorizationServer: BoundServer;
  readonly apiServer: BoundServer;
  /** Path of the API on its origin. Origin and path together are the resource identifier. */
  readonly apiPath: string;
  readonly routes: readonly ApiRoute[];
  readonly tokenFormat: 'jwt' | 'opaque';
  readonly key: SigningKey;
  readonly trustedIdps: readonly string[];
  readonly clients: readonly ResourceAppClient[];
  readonly accounts: readonly Account[];
  readonly rescind: RescindAccess;
  /** Without a guard, the API introspects every token on every call. */
  readonly guard?: Guard;
  readonly publisher: EventPublisher;
  readonly log: Log;
}

/** A resource application. Its authorization server redeems ID-JAGs, and its API asks Rescind on every call. */
export interface ResourceApp {
  readonly name: string;
  readonly issuer: string;
  readonly resource: string;
  readonly scopes: readonly string[];
  /**
   * Says whether the authorization server asks Rescind before it issues a token (default: true). False models an application that has not
   * integrated Rescind at issuance.
   */
  setAsksRescind(asks: boolean): void;
  stop(): Promise<void>;
}

export async function createResourceApp(options: ResourceAppOptions): Promise<ResourceApp> {
  const { authorizationServer, apiServer, key, publisher } = options;
  const log = options.log.child({ party: options.name });
  const issuer = authorizationServer.origin;
  const resource = `${apiServer.origin}${options.apiPath}`;
  const scopes = [...new Set(options.routes.map(({ scope }) => scope))];
  const introspect = createIntrospection(options.rescind, log);
  const { errors } = await loadProviderModule(log);
  let asksRescind = true;

  const resourceServer: ResourceServer = {
    scope: scopes.join(' '),
    audience: resource,
    accessTokenTTL: TOKEN_LIFETIME_SECONDS,
    accessTokenFormat: options.tokenFormat,
    ...(options.tokenFormat === 'jwt' ? { jwt: { sign: { alg: SIGNING_ALGORITHM, kid: key.kid } } } : {}),
  };

  const provider = await createProvider(
    issuer,
    {
      clients: options.clients.map(clientMetadata),
      clientDefaults: { id_token_signed_response_alg: SIGNING_ALGORITHM },
      jwks: { keys: [key.privateJwk] },
      features: {
        devInteractions: { enabled: false },
        rpInitiatedLogout: { enabled: false },
        resourceIndicators: { enabled: true, getResourceServerInfo: () => resourceServer },
      },
      scopes,
      ttl: { AccessToken: TOKEN_LIFETIME_SECONDS, Grant: TOKEN_LIFETIME_SECONDS },
      discovery: { authorization_grant_profiles_supported: [ID_JAG_GRANT_PROFILE] },
      findAccount: (_context, local) =>
        options.accounts.some((account) => account.local === local)
          ? { accountId: local, claims: async () => ({ sub: local }) }
          : undefined,
    },
    log,
  );
  provider.registerGrantType(
    JWT_BEARER_GRANT_TYPE,
    createRedemption(provider, {
      policy: assertionPolicy(issuer, resource, scopes, options),
      resourceServer,
      tokenLifetimeSeconds: TOKEN_LIFETIME_SECONDS,
      introspect,
      asksRescind: () => asksRescind,
      publisher,
      errors,
      log,
    }),
    REDEMPTION_PARAMETERS,
  );
  authorizationServer.serve(provider.callback());
  const check = options.guard === undefined ? introspect : guardedIntrospection(options.guard);
  apiServer.serve(
    createApi({ resource, routes: options.routes, introspect: check, tokenKey: key.publicKey, publisher, log }),
  );

  return {
    name: options.name,
    issuer,
    resource,
    scopes,
    setAsksRescind(asks) {
      asksRescind = asks;
    },
    async stop() {
      await Promise.all([authorizationServer.stop(), apiServer.stop()]);
    },
  };
}

function clientMetadata({ clientId, clientSecret }: ResourceAppClient): ClientMetadata {
  return {
    client_id: clientId,
    client_secret: clientSecret,
    redirect_uris: [],
    response_types: [],
    grant_types: [JWT_BEARER_GRANT_TYPE],
    token_endpoint_auth_method: 'client_secret_basic',
  };
}

function assertionPolicy(
  issuer: string,
  resource: string,
  scopes: readonly string[],
  options: ResourceAppOptions,
): AssertionPolicy {
  // The keys come from the address at which the issuer is known to serve them, never from a URL inside a token.
  const keys = new Map<string, JWTVerifyGetKey>(
    options.trustedIdps.map((idp) => [idp, createRemoteJWKSet(new URL('/jwks', idp))]),
  );
  return {
    issuer,
    resource,
    scopes,
    accounts: options.accounts,
    trustedKeys: (idp) => keys.get(idp),
    replay: createReplayGuard(),
  };
}
