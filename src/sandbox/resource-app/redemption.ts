import { decodeJwt, decodeProtectedHeader } from 'jose';
import type { Provider, ResourceServer, TokenEndpointGrantContext } from 'oidc-provider';
import { ID_JAG_TOKEN_TYPE, ID_JAG_TYP, JWT_BEARER_GRANT_TYPE, type EventDataOf } from '../../contracts/index.js';
import { digestOf } from '../../emit/index.js';
import type { Log } from '../../platform/log/index.js';
import type { EventPublisher } from '../event-publisher.js';
import type { ProviderErrors } from '../provider.js';
import type { Introspect } from '../rescind-introspection.js';
import { AssertionRefused, verifyAssertion, type AssertionPolicy, type VerifiedIdJag } from './assertion.js';

export const REDEMPTION_PARAMETERS = ['assertion', 'scope'] as const;

export interface RedemptionOptions {
  readonly policy: AssertionPolicy;
  readonly resourceServer: ResourceServer;
  readonly tokenLifetimeSeconds: number;
  readonly introspect: Introspect;
  /** Whether Rescind is asked about the ID-JAG. A server that does not ask issues tokens that are never active. */
  asksRescind(): boolean;
  readonly publisher: EventPublisher;
  readonly errors: ProviderErrors;
  readonly log: Log;
}

type Parameters = { readonly assertion?: string };
type RedemptionContext = TokenEndpointGrantContext<Parameters>;
type PresentedIdJag = EventDataOf['token.denied']['id_jag'];

/** Redeems an ID-JAG (RFC 7523). The client has been authenticated, and no parameter is repeated. */
export function createRedemption(provider: Provider, options: RedemptionOptions) {
  const { policy, publisher, errors, log } = options;

  return async (context: RedemptionContext): Promise<void> => {
    const { assertion, scope } = context.oidc.params;
    if (!assertion) throw new errors.InvalidRequest('assertion is required');
    const sha256 = digestOf(assertion);
    try {
      const verified = await verifyAssertion(assertion, context.oidc.client.clientId, policy);
      const scopes = grantedScopes(verified.scopes, scope);
      await mustNotBeRevoked(assertion, verified);
      context.body = await issue(context, verified, sha256, scopes);
      context.set('cache-control', 'no-store');
    } catch (error) {
      if (!(error instanceof AssertionRefused)) throw error;
      await tellDenied(context, presented(assertion, sha256), error);
      throw clientError(error);
    }
  };

  async function mustNotBeRevoked(assertion: string, { claims }: VerifiedIdJag): Promise<void> {
    if (!options.asksRescind()) return;
    const { outcome } = await options.introspect(assertion, ID_JAG_TOKEN_TYPE);
    if (outcome === 'undecided') {
      policy.replay.release(claims);
      throw new AssertionRefused('temporarily_unavailable', 'Rescind could not be asked');
    }
    if (outcome === 'inactive') throw new AssertionRefused('invalid_grant', 'revoked');
  }

  async function issue(
    { oidc }: RedemptionContext,
    { claims, account }: VerifiedIdJag,
    sha256: string,
    scopes: readonly string[],
  ) {
    const scope = scopes.join(' ');
    const grant = new provider.Grant({ clientId: oidc.client.clientId, accountId: account.local });
    grant.addResourceScope(policy.resource, scope);
    const iat = Math.floor(Date.now() / 1000);
    const exp = iat + options.tokenLifetimeSeconds;
    const token = new provider.AccessToken({
      client: oidc.client,
      accountId: account.local,
      grantId: await grant.save(),
      gty: JWT_BEARER_GRANT_TYPE,
      scope,
      iat,
      exp,
      resourceServer: new provider.ResourceServer(policy.resource, options.resourceServer),
    });
    const text = await token.save();
    const facts = pick(claims, ['auth_time', 'sid', 'act', 'agent']);
    await publisher.publish(
      'token.issued',
      {
        kind: 'access',
        iss: policy.issuer,
        ...(options.resourceServer.accessTokenFormat === 'jwt' ? { jti: token.jti } : { sha256: digestOf(text) }),
        sub: account.local,
        client_id: oidc.client.clientId,
        aud: [policy.resource],
        scope,
        iat,
        exp,
        id_jag: { ...presentedClaims(claims), ...facts, sha256 },
      },
      { subject: account.local },
    );
    return {
      access_token: text,
      token_type: 'Bearer',
      expires_in: options.tokenLifetimeSeconds,
      scope,
      resource: policy.resource,
    };
  }

  async function tellDenied(
    { oidc }: RedemptionContext,
    idJag: PresentedIdJag | undefined,
    refused: AssertionRefused,
  ): Promise<void> {
    // The event must name an ID-JAG. An assertion without an issuer is none, so nothing is published.
    if (idJag === undefined) return;
    try {
      await publisher.publish('token.denied', {
        iss: policy.issuer,
        id_jag: idJag,
        client_id: oidc.client.clientId,
        error: refused.error,
        reason: refused.reason,
      });
    } catch (error) {
      // The refusal stands even if its event could not be published.
      log.warn({ err: error }, 'cannot publish a denial; the refusal stands');
    }
  }

  function clientError({ error, reason }: AssertionRefused): Error {
    if (error === 'access_denied') return new errors.AccessDenied('the account may not be used');
    if (error === 'temporarily_unavailable') {
      return Object.assign(new errors.TemporarilyUnavailable('try again'), { status: 503, statusCode: 503 });
    }
    return new errors.InvalidGrant(reason);
  }
}

/** MCP profile, section 7.2.1: grants the requested scopes that the ID-JAG carries. */
function grantedScopes(allowed: readonly string[], requested: string | undefined): readonly string[] {
  if (requested === undefined) return allowed;
  const granted = requested.split(' ').filter((scope) => allowed.includes(scope));
  if (granted.length === 0) throw new AssertionRefused('invalid_grant', 'scope exceeds the ID-JAG');
  return granted;
}

/** Names the presented ID-JAG without verifying it: enough to find it, nothing to rely on. */
function presented(assertion: string, sha256: string): PresentedIdJag | undefined {
  try {
    if (decodeProtectedHeader(assertion).typ !== ID_JAG_TYP) return undefined;
    const { iss, jti } = decodeJwt(assertion);
    if (typeof iss !== 'string' || iss === '') return undefined;
    return { iss, sha256, ...(typeof jti === 'string' && jti !== '' ? { jti } : {}) };
  } catch {
    return undefined;
  }
}

function presentedClaims(claims: VerifiedIdJag['claims']): PresentedIdJag {
  return {
    ...pick(claims, ['iss', 'jti', 'sub', 'client_id', 'iat', 'exp']),
    ...pick(claims, ['tenant', 'aud_tenant', 'aud_sub']),
  } as PresentedIdJag;
}

function pick(claims: object, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(claims).filter(([name, value]) => names.includes(name) && value !== undefined),
  );
}
