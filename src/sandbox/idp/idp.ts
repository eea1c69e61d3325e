import { randomBytes } from 'node:crypto';
import type { ClientMetadata, KoaContextWithOIDC, Provider } from 'oidc-provider';
import { ID_JAG_TOKEN_TYPE, TOKEN_EXCHANGE_GRANT_TYPE } from '../../contracts/index.js';
import type { Log } from '../../platform/log/index.js';
import type { EventPublisher } from '../event-publisher.js';
import { sendHtml } from '../http-forms.js';
import type { BoundServer } from '../http-server.js';
import { createProvider, loadProviderModule } from '../provider.js';
import { SIGNING_ALGORITHM, type SigningKey } from '../signing-key.js';
import { createDirectory, type IdpUser } from './directory.js';
import { createPolicy, type Connection } from './policy.js';
import { createSignIn, SIGN_IN_PATH } from './sign-in.js';
import { createTokenExchange, TOKEN_EXCHANGE_PARAMETERS, type AgentIdentity } from './token-exchange.js';

const SECONDS = { access: 600, code: 60, grant: 86_400, idToken: 3600, interaction: 600, session: 86_400 };

export interface IdpClient {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUri: string;
  readonly postLogoutRedirectUri: string;
  /** Present if the client wants to hear of ended sessions (OpenID Connect Back-Channel Logout 1.0). */
  readonly backchannelLogoutUri?: string;
  /** Present if the client is an AI agent. */
  readonly agent?: AgentIdentity;
}

export interface IdpOptions {
  readonly server: BoundServer;
  readonly key: SigningKey;
  readonly users: readonly IdpUser[];
  readonly clients: readonly IdpClient[];
  readonly publisher: EventPublisher;
  readonly log: Log;
}

/** An organisation's identity provider: OpenID Connect sign-in, token exchange for ID-JAGs, and the administrators' acts. */
export interface Idp {
  readonly issuer: string;
  /** Approves a client for a resource application. */
  createConnection(connection: Connection): Promise<void>;
  deleteConnection(idpClientId: string, audience: string): Promise<void>;
  disableUser(sub: string): Promise<void>;
  enableUser(sub: string): Promise<void>;
  stop(): Promise<void>;
}

export async function createIdp(options: IdpOptions): Promise<Idp> {
  const { server, key, publisher, log } = options;
  const issuer = server.origin;
  const directory = createDirectory(options.users);
  const policy = createPolicy();
  const endedSessions = new Set<string>();
  const agents = new Map(
    options.clients.flatMap(({ clientId, agent }) => (agent === undefined ? [] : [[clientId, agent] as const])),
  );
  const { errors } = await loadProviderModule(log);

  const provider = await createProvider(
    issuer,
    {
      clients: options.clients.map(clientMetadata),
      clientDefaults: { id_token_signed_response_alg: SIGNING_ALGORITHM },
      jwks: { keys: [key.privateJwk] },
      claims: { openid: ['sub'], profile: ['name', 'groups'], auth_time: null, sid: null },
      cookies: { keys: [randomBytes(32).toString('base64url')] },
      features: {
        devInteractions: { enabled: false },
        claimsParameter: { enabled: true },
        backchannelLogout: { enabled: true },
        rpInitiatedLogout: { enabled: true, logoutSource, postLogoutSuccessSource },
      },
      interactions: { url: (_context, interaction) => `${SIGN_IN_PATH}/${interaction.uid}` },
      pkce: { required: () => true },
      // Everything here is on loopback, from which the provider's own way out would keep it.
      fetch: (url, init) => fetch(url, { ...init, dispatcher: undefined } as RequestInit),
      responseTypes: ['code'],
      scopes: ['openid', 'profile'],
      ttl: {
        AccessToken: SECONDS.access,
        AuthorizationCode: SECONDS.code,
        Grant: SECONDS.grant,
        IdToken: SECONDS.idToken,
        Interaction: SECONDS.interaction,
        Session: SECONDS.session,
      },
      discovery: { identity_chaining_requested_token_types_supported: [ID_JAG_TOKEN_TYPE] },
      findAccount: (_context, sub) => {
        const user = directory.findEnabled(sub);
        return (
          user && {
            accountId: user.sub,
            claims: async () => ({ sub: user.sub, name: user.name, groups: user.groups ?? [] }),
          }
        );
      },
      loadExistingGrant: grantWithoutConsent,
      renderError: (context, out) => {
        context.type = 'json';
        context.body = out;
      },
    },
    log,
  );
  provider.registerGrantType(
    TOKEN_EXCHANGE_GRANT_TYPE,
    createTokenExchange(provider, {
      issuer,
      key,
      directory,
      policy,
      publisher,
      errors,
      agentOf: (idpClientId) => agents.get(idpClientId),
      isSessionEnded: (sid) => endedSessions.has(sid),
    }),
    TOKEN_EXCHANGE_PARAMETERS,
  );
  announceLogout(provider, async (sid, sub) => {
    endedSessions.add(sid);
    await publisher.publish('session.ended', { iss: issuer, sid, sub });
  });

  const signIn = createSignIn(provider, directory);
  const oidc = provider.callback();
  server.serve((request, response) => {
    signIn(request, response)
      .then((handled) => (handled ? undefined : oidc(request, response)))
      .catch((error: unknown) => {
        log.warn({ err: error }, 'sign-in failed');
        if (!response.headersSent)
          sendHtml(response, 400, '<!doctype html><title>Sign in</title><p>Start again at the application.</p>');
      });
  });

  const connectionEvent = (connection: Connection) => {
    const agent = agents.get(connection.idpClientId);
    return {
      iss: issuer,
      idp_client_id: connection.idpClientId,
      aud: [connection.audience],
      client_id: connection.clientId,
      resource: [connection.resource],
      scope: connection.scopes.join(' '),
      ...(agent === undefined ? {} : { agent: { ...agent } }),
    };
  };

  return {
    issuer,
    async createConnection(connection) {
      policy.add(connection);
      await publisher.publish('connection.created', connectionEvent(connection));
    },
    async deleteConnection(idpClientId, audience) {
      const connection = policy.remove(idpClientId, audience);
      if (connection === undefined) throw new TypeError(`no connection of ${idpClientId} to ${audience}`);
      await publisher.publish('connection.deleted', connectionEvent(connection));
    },
    async disableUser(sub) {
      directory.disable(sub);
      await publisher.publish('user.disabled', { iss: issuer, sub }, { subject: sub });
    },
    async enableUser(sub) {
      directory.enable(sub);
      await publisher.publish('user.enabled', { iss: issuer, sub }, { subject: sub });
    },
    stop: () => server.stop(),
  };
}

function clientMetadata(client: IdpClient): ClientMetadata {
  return {
    client_id: client.clientId,
    client_secret: client.clientSecret,
    redirect_uris: [client.redirectUri],
    post_logout_redirect_uris: [client.postLogoutRedirectUri],
    ...(client.backchannelLogoutUri === undefined
      ? {}
      : { backchannel_logout_uri: client.backchannelLogoutUri, backchannel_logout_session_required: true }),
    grant_types: ['authorization_code', TOKEN_EXCHANGE_GRANT_TYPE],
    response_types: ['code'],
    token_endpoint_auth_method: 'client_secret_basic',
    require_auth_time: true,
  };
}

/**
 * Creates the grant without asking the user: Cross-App Access moves consent from the user to the administrator, whose policy decides at the
 * exchange.
 */
async function grantWithoutConsent(context: KoaContextWithOIDC) {
  const { provider, client, session } = context.oidc;
  if (client === undefined || session?.accountId === undefined) return undefined;
  const existing = session.grantIdFor(client.clientId);
  if (existing !== undefined) return provider.Grant.find(existing);
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope('openid profile');
  await grant.save();
  return grant;
}

/** Calls `ended` for every client that the session had signed in to, each with a `sid` of its own, before the browser is answered. */
function announceLogout(provider: Provider, ended: (sid: string, sub: string) => Promise<void>): void {
  provider.use(async (context: KoaContextWithOIDC, next) => {
    await next();
    if (context.oidc?.route !== 'end_session_confirm' || context.oidc.params?.['logout'] === undefined) return;
    const session = context.oidc.session;
    const sub = session?.accountId;
    if (session === undefined || sub === undefined) return;
    for (const clientId of Object.keys(session.authorizations ?? {})) {
      const sid = session.sidFor(clientId);
      if (sid !== undefined) await ended(sid, sub);
    }
  });
}

function logoutSource(context: KoaContextWithOIDC, form: string): void {
  context.type = 'html';
  context.body = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Sign out</title>${form}
<button form="op.logoutForm" name="logout" value="yes">Sign out</button></html>`;
}

function postLogoutSuccessSource(context: KoaContextWithOIDC): void {
  context.type = 'html';
  context.body =
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Signed out</title><p>You have signed out.</p></html>';
}
