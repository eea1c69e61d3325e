import { randomUUID } from 'node:crypto';
import { errors as joseErrors, jwtVerify, type JWTPayload } from 'jose';
import type { Provider, TokenEndpointGrantContext } from 'oidc-provider';
import { ID_JAG_TOKEN_TYPE, ID_JAG_TYP, ID_TOKEN_TOKEN_TYPE } from '../../contracts/index.js';
import { digestOf } from '../../emit/index.js';
import type { EventPublisher } from '../event-publisher.js';
import { SIGNING_ALGORITHM, type SigningKey } from '../signing-key.js';
import type { ProviderErrors } from '../provider.js';
import type { Directory } from './directory.js';
import type { Policy, PolicyDecision } from './policy.js';

export const TOKEN_EXCHANGE_PARAMETERS = [
  'audience',
  'resource',
  'scope',
  'requested_token_type',
  'subject_token',
  'subject_token_type',
  'actor_token',
  'actor_token_type',
] as const;

/** MCP profile, section 7.4.2 asks for a short life and names no number; Okta and Keycloak accept at most this. */
export const ID_JAG_LIFETIME_SECONDS = 300;

export interface AgentIdentity {
  readonly id: string;
  readonly type: string;
}

export interface TokenExchangeOptions {
  readonly issuer: string;
  readonly key: SigningKey;
  readonly directory: Directory;
  readonly policy: Policy;
  readonly publisher: EventPublisher;
  readonly errors: ProviderErrors;
  /** Returns the AI agent behind an IdP client; undefined if the client is no agent. */
  agentOf(idpClientId: string): AgentIdentity | undefined;
  isSessionEnded(sid: string): boolean;
}

type Parameters = { readonly [name in (typeof TOKEN_EXCHANGE_PARAMETERS)[number]]?: string };
type ExchangeContext = TokenEndpointGrantContext<Parameters>;

/** The user that a verified subject token names. */
interface Subject {
  readonly sub: string;
  readonly sid: string | undefined;
  readonly authTime: number | undefined;
}

/** Exchanges this IdP's ID token for an ID-JAG (RFC 8693; ID-JAG draft, section 4.3). */
export function createTokenExchange(provider: Provider, options: TokenExchangeOptions) {
  const { issuer, key, policy, publisher, errors } = options;

  return async (context: ExchangeContext): Promise<void> => {
    const { params, client } = context.oidc;
    const audience = mustBeExchangeRequest(params, errors);
    const subject = await verifySubject(params.subject_token ?? '', client.clientId, options);
    if (typeof subject === 'string') {
      await tellDenied(client.clientId, params, audience, undefined, undefined, 'invalid_request', subject);
      // RFC 8693, section 2.2.2: a subject token that is not acceptable is an invalid request.
      throw new errors.InvalidRequest('the subject token is not acceptable');
    }
    const decision = policy.decide({
      sub: subject.sub,
      idpClientId: client.clientId,
      audience,
      resource: params.resource,
      scopes: splitScope(params.scope),
    });
    if (!decision.allowed) {
      await tellDenied(client.clientId, params, audience, subject, decision, decision.error, decision.reason);
      if (decision.error === 'invalid_target') throw new errors.InvalidTarget();
      throw new errors.AccessDenied('the policy does not allow this');
    }
    const { idJag, claims } = await signIdJag(client.clientId, subject, decision);
    await publisher.publish(
      'id-jag.issued',
      {
        ...claims,
        aud: [claims.aud],
        resource: [claims.resource],
        sha256: digestOf(idJag),
        idp_client_id: client.clientId,
        decision_id: decision.id,
      },
      { subject: subject.sub },
    );
    context.set('cache-control', 'no-store');
    context.body = {
      issued_token_type: ID_JAG_TOKEN_TYPE,
      access_token: idJag,
      token_type: 'N_A',
      expires_in: ID_JAG_LIFETIME_SECONDS,
      scope: claims.scope,
    };
  };

  async function signIdJag(idpClientId: string, subject: Subject, decision: PolicyDecision & { allowed: true }) {
    const iat = Math.floor(Date.now() / 1000);
    const agent = options.agentOf(idpClientId);
    const claims = {
      iss: issuer,
      sub: subject.sub,
      aud: decision.connection.audience,
      client_id: decision.connection.clientId,
      jti: randomUUID(),
      iat,
      exp: iat + ID_JAG_LIFETIME_SECONDS,
      resource: decision.connection.resource,
      scope: decision.scopes.join(' '),
      ...(subject.authTime === undefined ? {} : { auth_time: subject.authTime }),
      ...(subject.sid === undefined ? {} : { sid: subject.sid }),
      ...(agent === undefined
        ? {}
        : { agent: { ...agent }, act: { iss: issuer, sub: agent.id, sub_profile: agent.type } }),
    };
    return { claims, idJag: await key.sign(claims, ID_JAG_TYP) };
  }

  async function tellDenied(
    idpClientId: string,
    params: Parameters,
    audience: string,
    subject: Subject | undefined,
    decision: PolicyDecision | undefined,
    error: string,
    reason: string,
  ): Promise<void> {
    const agent = options.agentOf(idpClientId);
    await publisher.publish('id-jag.denied', {
      iss: issuer,
      idp_client_id: idpClientId,
      aud: [audience],
      error,
      reason,
      ...(params.resource === undefined ? {} : { resource: [params.resource] }),
      ...(params.scope === undefined ? {} : { scope: splitScope(params.scope).join(' ') }),
      ...(subject === undefined ? {} : { sub: subject.sub }),
      ...(subject?.sid === undefined ? {} : { sid: subject.sid }),
      ...(subject?.authTime === undefined ? {} : { auth_time: subject.authTime }),
      ...(agent === undefined ? {} : { agent: { ...agent } }),
      ...(decision === undefined ? {} : { decision_id: decision.id }),
    });
  }
}

/** Checks the parameters and returns the audience. Every refusal here is the client's mistake; the policy has not been asked. */
function mustBeExchangeRequest(params: Parameters, errors: TokenExchangeOptions['errors']): string {
  if (params.requested_token_type !== ID_JAG_TOKEN_TYPE) {
    throw new errors.InvalidRequest('requested_token_type must be that of an ID-JAG');
  }
  if (!params.audience) throw new errors.InvalidRequest('audience is required');
  if (!params.subject_token) throw new errors.InvalidRequest('subject_token is required');
  if (params.subject_token_type !== ID_TOKEN_TOKEN_TYPE)
    throw new errors.InvalidRequest('subject_token_type must be that of an ID token');
  // The draft allows an actor token and leaves its processing undefined; this IdP derives the actor from the client.
  if (params.actor_token !== undefined || params.actor_token_type !== undefined) {
    throw new errors.InvalidRequest('actor tokens are not supported');
  }
  return params.audience;
}

/** Returns the subject, or the reason why the token is not acceptable. The reason goes into the event only, not to the client. */
async function verifySubject(
  token: string,
  idpClientId: string,
  { issuer, key, directory, isSessionEnded }: TokenExchangeOptions,
): Promise<Subject | string> {
  let payload: JWTPayload;
  try {
    // ID-JAG draft, section 4.3.3: the audience of the assertion must be the authenticated client.
    ({ payload } = await jwtVerify(token, key.publicKey, {
      issuer,
      audience: idpClientId,
      algorithms: [SIGNING_ALGORITHM],
    }));
  } catch (error) {
    if (error instanceof joseErrors.JOSEError) return error.code;
    throw error;
  }
  const sid = typeof payload['sid'] === 'string' ? payload['sid'] : undefined;
  const authTime = typeof payload['auth_time'] === 'number' ? payload['auth_time'] : undefined;
  if (payload.sub === undefined || directory.findEnabled(payload.sub) === undefined)
    return 'user is disabled or unknown';
  if (sid !== undefined && isSessionEnded(sid)) return 'session has ended';
  return { sub: payload.sub, sid, authTime };
}

const splitScope = (scope: string | undefined): readonly string[] =>
  (scope ?? '').split(' ').filter((item) => item !== '');
