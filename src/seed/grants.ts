import { hash } from 'node:crypto';
import type { EventDataOf, SourceEventName } from '../contracts/index.js';
import { clientAt, type App, type Connection, type Organisation } from './organisation.js';
import type { Random } from './random.js';
import { ID_JAG_LIFETIME_S, IDP, TOKEN_LIFETIME_S, type SeedEvent } from './seed-event.js';

const DAY_S = 86_400;
const SUMMARY_WINDOW_S = 300;

/** How often the unusual happens, as a share of grants or of calls. */
const CHANCE = {
  refusedByIdp: 0.02,
  refusedByApp: 0.012,
  withRefresh: 0.2,
  secondHop: 0.05,
  lateIdJag: 0.01,
  lateToken: 0.008,
  lostToken: 0.002,
  lateCall: 0.01,
  sentTwice: 0.003,
  deniedCall: 0.03,
  revoked: 0.001,
  sessionEnded: 0.001,
} as const;

/** Reports one event of a party at `at`, arriving `delay` seconds later; the writer gives the event its id. */
export type Say = <N extends SourceEventName>(
  party: string,
  name: N,
  at: number,
  delay: number,
  data: EventDataOf[N],
  twice?: boolean,
) => void;

export interface Actors {
  readonly user: string;
  /** Number of the user, from which the user's addresses are derived. */
  readonly nth: number;
  readonly connection: Connection;
}

export type TokenReference =
  | Extract<SeedEvent<'access.allowed'>['data']['token'], { iss: string }>
  | { sha256: string };

/**
 * Reports the events of one grant: an ID-JAG, the token it is traded for, refreshed tokens, the calls, and sometimes an agent's second hop
 * to another application.
 */
export function sayGrant(
  organisation: Organisation,
  random: Random,
  nextNumber: () => string,
  say: Say,
  at: number,
  actors: Actors,
): void {
  const { idp } = organisation;
  const { user, nth, connection } = actors;
  const { client, app } = connection;
  const number = nextNumber();
  const day = Math.floor(at / DAY_S);
  const session = { sid: `s-${nth}-${day}`, auth_time: Math.min(at, day * DAY_S + 7 * 3_600 + (nth % 120) * 60) };
  const client_id = clientAt(client, app);
  const asked = {
    iss: idp.issuer,
    sub: user,
    client_id,
    idp_client_id: client.id,
    aud: [app.issuer],
    resource: [app.resource],
    scope: narrowed(random, connection.scope),
    ...session,
    ...(client.agent ? { agent: client.agent } : {}),
  };
  const soon = (): number => 1 + random.below(3);
  if (random.chance(CHANCE.refusedByIdp)) {
    say(IDP, 'id-jag.denied', at, soon(), { ...asked, error: 'access_denied', reason: 'policy' });
    return;
  }
  const idJag = {
    iss: idp.issuer,
    jti: `ij-${number}`,
    sub: user,
    client_id,
    iat: at,
    exp: at + ID_JAG_LIFETIME_S,
    ...session,
  };
  const presented = client.agent ? { ...idJag, agent: client.agent } : idJag;
  const decision_id = `d-${number}`;
  say(IDP, 'id-jag.issued', at, random.chance(CHANCE.lateIdJag) ? 1_800 + random.below(60_000) : soon(), {
    ...asked,
    ...idJag,
    decision_id,
  });
  if (random.chance(CHANCE.refusedByApp)) {
    say(app.name, 'token.denied', at + 1, soon(), {
      iss: app.issuer,
      id_jag: presented,
      client_id,
      error: 'invalid_grant',
      reason: 'unknown account',
    });
    return;
  }
  const issue = (kind: 'access' | 'refresh', text: string, iat: number, parent?: TokenReference): TokenReference => {
    const reference = referenceOf(app, text);
    const identity = 'sha256' in reference ? { iss: app.issuer, sha256: reference.sha256 } : reference;
    const lost = kind === 'access' && random.chance(CHANCE.lostToken);
    const delay = random.chance(CHANCE.lateToken) ? 600 + random.below(10_000) : soon();
    const facts = {
      kind,
      ...identity,
      sub: `${app.name}-${nth}`,
      client_id,
      aud: [kind === 'access' ? app.resource : app.issuer],
      scope: asked.scope,
      iat,
    };
    const lifetime = kind === 'access' ? { exp: iat + TOKEN_LIFETIME_S } : {};
    if (!lost)
      say(app.name, 'token.issued', iat, delay, {
        ...facts,
        ...lifetime,
        ...(parent ? { parent } : {}),
        id_jag: presented,
      });
    return reference;
  };
  const call = (token: TokenReference, from: number): void =>
    sayCalls(random, say, { token, app, scope: asked.scope, from, address: addressOf(random, actors) });

  const token = issue('access', `at-${number}`, at + 1);
  call(token, at + 2);
  if (random.chance(CHANCE.withRefresh)) {
    const refresh = issue('refresh', `rt-${number}`, at + 1);
    for (let more = 1 + random.below(3), from = at; more > 0; more--) {
      from += TOKEN_LIFETIME_S - 60;
      call(issue('access', `at-${number}-${more}`, from, refresh), from + 1);
    }
  }
  if (client.agent && 'jti' in token && random.chance(CHANCE.secondHop))
    sayHop(organisation, random, say, { at: at + 30, number, actors, session, parent: token });
  if (random.chance(CHANCE.revoked)) {
    const identity = 'sha256' in token ? { iss: app.issuer, sha256: token.sha256 } : token;
    say(app.name, 'token.revoked', at + 1_200, soon(), {
      ...identity,
      kind: 'access',
      client_id,
      reason: 'signed out',
    });
  }
  if (random.chance(CHANCE.sessionEnded))
    say(IDP, 'session.ended', at + 5_000, soon(), { iss: idp.issuer, sid: session.sid, sub: user });
}

interface Hop {
  readonly at: number;
  readonly number: string;
  readonly actors: Actors;
  readonly session: { readonly sid: string; readonly auth_time: number };
  readonly parent: Extract<TokenReference, { jti: string }>;
}

/** Reports the second hop: the agent trades its token for an ID-JAG to another application that it is connected to. */
function sayHop(
  organisation: Organisation,
  random: Random,
  say: Say,
  { at, number, actors, session, parent }: Hop,
): void {
  const { user, nth, connection } = actors;
  const { client } = connection;
  const others = organisation.connections.get(client)!.filter(({ app }) => app !== connection.app);
  const { app, scope } = random.pick(others);
  const client_id = clientAt(client, app);
  const asked = {
    idp_client_id: client.id,
    aud: [app.issuer],
    resource: [app.resource],
    scope: scope.split(' ')[0]!,
    agent: client.agent!,
    parent,
  };
  const idJag = {
    iss: organisation.idp.issuer,
    jti: `ij-${number}-2`,
    sub: user,
    client_id,
    iat: at,
    exp: at + ID_JAG_LIFETIME_S,
    ...session,
  };
  say(IDP, 'id-jag.issued', at, 1, { ...asked, ...idJag, decision_id: `d-${number}-2` });
  const token = referenceOf(app, `at-${number}-h`);
  const identity = 'sha256' in token ? { iss: app.issuer, sha256: token.sha256 } : token;
  const facts = {
    kind: 'access' as const,
    ...identity,
    sub: `${app.name}-${nth}`,
    client_id,
    aud: [app.resource],
    scope: asked.scope,
    iat: at + 1,
    exp: at + TOKEN_LIFETIME_S,
  };
  say(app.name, 'token.issued', at + 1, 1, { ...facts, id_jag: { ...idJag, agent: client.agent! } });
  sayCalls(random, say, { token, app, scope: asked.scope, from: at + 2, address: addressOf(random, actors) });
}

interface Calls {
  readonly token: TokenReference;
  readonly app: App;
  readonly scope: string;
  readonly from: number;
  readonly address: string;
}

function sayCalls(random: Random, say: Say, { token, app, scope, from, address }: Calls): void {
  const count = 1 + random.skewed(24, 1.5);
  const allowed = app.routes.filter((route) => scope.includes(route.scope));
  for (let nth = 0, at = from; nth < count && at < from + TOKEN_LIFETIME_S; nth++) {
    at += 1 + random.skewed(600);
    const denied = random.chance(CHANCE.deniedCall);
    const {
      route,
      operation,
      scope: needed,
    } = denied ? random.pick(app.routes) : allowed[random.skewed(allowed.length, 2)]!;
    const delay = random.chance(CHANCE.lateCall) ? 60 + random.skewed(40_000) : 1 + random.below(3);
    const common = { token, operation, route, client_address: address };
    if (app.summarises) {
      const calls = 2 + random.skewed(300);
      const window = {
        outcome: denied ? ('denied' as const) : ('allowed' as const),
        count: calls,
        from: at,
        to: at + SUMMARY_WINDOW_S,
      };
      say(app.name, 'access.summary', at + SUMMARY_WINDOW_S, delay, {
        ...common,
        ...window,
        status: denied ? 403 : 200,
        scope: needed,
        records: calls * 3,
        bytes: calls * 900,
      });
      continue;
    }
    const path = (route.startsWith('tools/') ? `/${route}` : route.slice(route.indexOf(' ') + 1)).replace(
      '{id}',
      String(1 + random.skewed(50_000)),
    );
    const one = { ...common, path, trace_id: random.hex(32) };
    const twice = random.chance(CHANCE.sentTwice);
    if (denied) say(app.name, 'access.denied', at, delay, { ...one, status: 403, error: 'insufficient_scope' }, twice);
    else {
      const records =
        operation === 'export' ? 200 + random.skewed(3_000) : operation === 'read' ? random.skewed(120) : 1;
      say(
        app.name,
        'access.allowed',
        at,
        delay,
        { ...one, scope: needed, status: 200, records, bytes: 300 + records * (80 + random.below(400)) },
        twice,
      );
    }
  }
}

/** Narrows the scope of every second request: half of the requests ask for less than was approved. */
function narrowed(random: Random, scope: string): string {
  const scopes = scope.split(' ');
  return random.chance(0.5) ? scope : scopes.slice(0, 1 + random.below(scopes.length)).join(' ');
}

export function referenceOf(app: App, text: string): TokenReference {
  return app.opaque ? { sha256: hash('sha256', `${app.issuer} ${text}`, 'base64url') } : { iss: app.issuer, jti: text };
}

/** Picks a client address. Agents run in one address range; people sit in an office, and at home on two days of five. */
function addressOf(random: Random, { nth, connection: { client } }: Actors): string {
  if (client.agent) return `192.0.2.${1 + ((nth + client.id.length) % 40)}`;
  if (random.chance(0.4)) return `100.${64 + (nth % 8)}.${(nth >> 3) & 255}.${1 + (nth % 200)}`;
  return `10.${nth % 6}.${(nth >> 4) & 255}.${1 + (nth % 250)}`;
}
