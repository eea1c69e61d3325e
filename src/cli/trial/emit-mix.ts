import { createHash, randomBytes } from 'node:crypto';
import type { EventDataOf, SourceEventName } from '../../contracts/index.js';

/** Parties of an organisation that exists only for trying things out. */
export const TRIAL_IDP = {
  name: 'trial-idp',
  uri: 'urn:rescind:trial:idp',
  issuer: 'https://idp.trial.example',
} as const;
export const TRIAL_APP = {
  name: 'trial-app',
  uri: 'urn:rescind:trial:app',
  issuer: 'https://login.trial.example',
  resource: 'https://api.trial.example',
} as const;
export const TRIAL_IDP_TYPES: readonly SourceEventName[] = ['id-jag.issued', 'id-jag.denied', 'session.ended'];
export const TRIAL_APP_TYPES: readonly SourceEventName[] = [
  'token.issued',
  'token.denied',
  'token.revoked',
  'access.allowed',
  'access.denied',
];

export type TrafficEvent = {
  readonly [N in SourceEventName]: { readonly party: 'idp' | 'app'; readonly name: N; readonly data: EventDataOf[N] };
}[SourceEventName];

const USERS = 2_000;
const AGENTS = 12;
/** Calls with one token, on average. Calls are most of what an IdP and an API see. */
const CALLS_A_TOKEN = 8;
const ID_JAG_LIFETIME_S = 300;
const TOKEN_LIFETIME_S = 900;

const ROUTES = [
  'GET /mail',
  'GET /mail/{id}',
  'POST /mail',
  'GET /files',
  'GET /files/{id}',
  'PUT /files/{id}',
  'DELETE /files/{id}',
  'tools/search',
] as const;
const OPERATION_OF: Readonly<Record<string, EventDataOf['access.allowed']['operation']>> = {
  POST: 'write',
  PUT: 'write',
  DELETE: 'delete',
};

/**
 * Yields, without end, what an IdP and a resource application say about their users: an ID-JAG, the token it is traded for, the calls made
 * with the token; sometimes a denial, a revoked token or an ended session. A few agents and users do most of it. Ids are unique to the run.
 */
export function* makeTraffic(now: () => number = Date.now): Generator<TrafficEvent, never> {
  const run = randomBytes(4).toString('hex');
  for (let grant = 0; ; grant++) yield* oneGrant(run, grant, Math.floor(now() / 1000));
}

function* oneGrant(run: string, grant: number, now: number): Generator<TrafficEvent> {
  const user = `u-${skewed(`user ${grant}`, USERS)}`;
  const agent = skewed(`agent ${grant}`, AGENTS);
  const [idpClient, appClient] = [`agent-${agent}`, `agent-${agent}-at-app`];
  const session = { sid: `s-${run}-${user}`, auth_time: now - ((fraction(`login ${grant}`) * 3_600) | 0) };
  const agentOf = { id: `agent-${agent}`, type: agent % 3 === 0 ? 'coding' : 'assistant' };
  const { issuer: idp } = TRIAL_IDP;
  const { issuer: app, resource } = TRIAL_APP;
  const asked = {
    iss: idp,
    idp_client_id: idpClient,
    client_id: appClient,
    aud: [app],
    resource: [resource],
    scope: 'mail.read files.read',
    agent: agentOf,
  };

  if (oneIn(40, `refused ${grant}`)) {
    yield {
      party: 'idp',
      name: 'id-jag.denied',
      data: { ...asked, sub: user, error: 'access_denied', reason: 'policy' },
    };
    return;
  }
  const idJag = {
    iss: idp,
    jti: `ij-${run}-${grant}`,
    sub: user,
    client_id: appClient,
    ...session,
    iat: now,
    exp: now + ID_JAG_LIFETIME_S,
  };
  yield { party: 'idp', name: 'id-jag.issued', data: { ...asked, ...idJag, decision_id: `d-${run}-${grant}` } };
  if (oneIn(60, `not redeemed ${grant}`)) {
    yield {
      party: 'app',
      name: 'token.denied',
      data: { iss: app, id_jag: idJag, client_id: appClient, error: 'invalid_grant', reason: 'unknown account' },
    };
    return;
  }
  const token = { iss: app, jti: `at-${run}-${grant}` };
  yield {
    party: 'app',
    name: 'token.issued',
    data: {
      kind: 'access',
      ...token,
      sub: `local-${user}`,
      client_id: appClient,
      aud: [resource],
      scope: asked.scope,
      iat: now,
      exp: now + TOKEN_LIFETIME_S,
      id_jag: { ...idJag, agent: agentOf },
    },
  };
  yield* calls(token, grant);
  if (oneIn(50, `revoked ${grant}`))
    yield { party: 'app', name: 'token.revoked', data: { ...token, kind: 'access', reason: 'signed out' } };
  if (oneIn(100, `ended ${grant}`))
    yield { party: 'idp', name: 'session.ended', data: { iss: idp, sid: session.sid, sub: user } };
}

function* calls(token: { iss: string; jti: string }, grant: number): Generator<TrafficEvent> {
  const count = Math.floor(fraction(`calls ${grant}`) * 2 * CALLS_A_TOKEN);
  for (let n = 0; n < count; n++) {
    const seed = `${grant} ${n}`;
    const route = ROUTES[skewed(`route ${seed}`, ROUTES.length)]!;
    const call = {
      token,
      operation: OPERATION_OF[route.split(' ')[0]!] ?? 'read',
      route,
      path: route.replace('{id}', String(skewed(`path ${seed}`, 10_000))).replace(/^[A-Z]+ /, ''),
      client_address: `192.0.2.${1 + Math.floor(fraction(`address ${grant}`) * 254)}`,
      trace_id: createHash('md5').update(`${token.jti} ${n}`).digest('hex'),
    };
    if (oneIn(30, `forbidden ${seed}`))
      yield { party: 'app', name: 'access.denied', data: { ...call, status: 403, error: 'insufficient_scope' } };
    else
      yield {
        party: 'app',
        name: 'access.allowed',
        data: {
          ...call,
          scope: 'mail.read',
          status: 200,
          records: skewed(`records ${seed}`, 200),
          bytes: 400 + skewed(`bytes ${seed}`, 100_000),
        },
      };
  }
}

/** Maps a text to a number from 0 to 1; the same text always gives the same number. */
const fraction = (seed: string): number => createHash('md5').update(seed).digest().readUInt32BE(0) / 2 ** 32;
const oneIn = (many: number, seed: string): boolean => fraction(seed) * many < 1;
/** Maps a text to a whole number from 0 to `size` (excluded). Low numbers are far more frequent. */
const skewed = (seed: string, size: number): number => Math.floor(fraction(seed) ** 3 * size);
