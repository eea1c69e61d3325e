import { hash } from 'node:crypto';
import type { EventDataOf, SourceEventName } from '../../src/contracts/index.js';
import { IDP, type Random, type SeedEvent } from '../../src/seed/index.js';
import { DAY_S, HOUR_S, SPAN_S } from './calendar.js';
import type { Network } from './networks.js';
import { clientAt, scopeText, type App, type Connection, type Operation, type Organisation } from './organisation.js';

const ID_JAG_LIFETIME_S = 300;
const SUMMARY_S = 30;
const RULE_EVENTS: readonly string[] = [
  'user.disabled',
  'user.enabled',
  'client.disabled',
  'client.enabled',
  'connection.deleted',
  'session.ended',
  'token.revoked',
];

export interface IdJag {
  readonly iss: string;
  readonly jti: string;
  readonly sub: string;
  readonly client_id: string;
  readonly iat: number;
  readonly exp: number;
  readonly sid: string;
  readonly auth_time: number;
}

export type Reference = { readonly iss: string; readonly jti: string } | { readonly sha256: string };

export interface Token {
  readonly reference: Reference;
  /** The jti or digest. */
  readonly name: string;
  readonly connection: Connection;
  readonly operations: readonly Operation[];
  readonly idJag: IdJag;
  readonly at: number;
  readonly lifetime: number;
}

export interface User {
  readonly sub: string;
}

export interface Wish {
  readonly at: number;
  readonly user: User;
  readonly connection: Connection;
  readonly operations: readonly Operation[];
  /** The session, if not the user's of the day. */
  readonly sid?: string;
  /** Overrides what is usual. */
  readonly idJag?: Partial<EventDataOf['id-jag.issued']>;
  readonly token?: Partial<EventDataOf['token.issued']>;
  /** Seconds by which the event of the token is late. */
  readonly late?: number;
  /** Events that are never told. */
  readonly untold?: 'id-jag' | 'token';
}

export interface Call {
  readonly at: number;
  readonly operation: Operation;
  readonly network: Network;
  readonly records?: number;
  readonly denied?: 401 | 403;
}

/** Writes down what the parties say. Times are seconds from the story's beginning; `start` places it. */
export interface Teller {
  readonly events: SeedEvent[];
  readonly start: number;
  say<N extends SourceEventName>(party: string, name: N, at: number, data: EventDataOf[N], delay?: number): void;
  /** An ID-JAG and the access token that it is traded for. */
  grant(wish: Wish): Token;
  idJag(wish: Wish): IdJag;
  token(wish: Wish, idJag: IdJag): Token;
  refreshed(token: Token, at: number, refresh: Token): Token;
  call(token: Token, call: Call): void;
  user(name: 'user.disabled' | 'user.enabled', at: number, user: User): void;
  connection(
    name: 'connection.created' | 'connection.updated' | 'connection.deleted',
    at: number,
    connection: Connection,
    operations?: readonly Operation[],
  ): void;
}

/** One session a user and day. */
export const sidOf = ({ sub }: User, day: number): string => `sid-${sub}-${day}`;

/** Most events come within seconds, some within minutes, few within hours, as from an outbox that is tried again. */
function usualDelay(random: Random, at: number): number {
  const drawn = random.next();
  const isOld = at < SPAN_S - 8 * HOUR_S;
  if (isOld && drawn < 0.002) return HOUR_S + random.below(3 * HOUR_S);
  if (isOld && drawn < 0.02) return 30 + random.below(600);
  return 1 + random.below(4);
}

export function createTeller(organisation: Organisation, random: Random, start: number): Teller {
  const events: SeedEvent[] = [];
  const { issuer: iss } = organisation.idp;
  let number = 0;
  let named = 0;
  const name = (): string => `${(named++).toString(36)}${random.hex(6)}`;

  const say: Teller['say'] = (party, event, at, data, delay = usualDelay(random, at)) => {
    const isRule = RULE_EVENTS.includes(event);
    const told = {
      party,
      name: event,
      id: `n${number++}`,
      at: start + at,
      arrives: start + at + (isRule ? 1 : delay),
      data,
      ...(isRule ? { prompt: true as const } : {}),
    };
    events.push(told as SeedEvent);
    if (!isRule && random.chance(0.003)) events.push({ ...told, arrives: told.arrives + 45 } as SeedEvent);
  };

  function idJag(wish: Wish): IdJag {
    const { at, user, connection, operations } = wish;
    const { client, app } = connection;
    const facts: IdJag = {
      iss,
      jti: `ij-${name()}`,
      sub: user.sub,
      client_id: clientAt(client, app),
      iat: start + at,
      exp: start + at + ID_JAG_LIFETIME_S,
      sid: wish.sid ?? `${sidOf(user, Math.floor(at / DAY_S))}-1`,
      auth_time: start + at - 60 - random.below(1_800),
    };
    if (wish.untold !== 'id-jag')
      say(IDP, 'id-jag.issued', at, {
        ...facts,
        idp_client_id: client.id,
        aud: [app.issuer],
        resource: [app.resource],
        scope: scopeText(app, operations),
        decision_id: `dec-${name()}`,
        ...(client.agent ? { agent: client.agent } : {}),
        ...wish.idJag,
      });
    return facts;
  }

  function token(wish: Wish, jag: IdJag): Token {
    const { connection, operations, user } = wish;
    const { client, app } = connection;
    const at = wish.at + 1;
    const text = `tk-${name()}`;
    const reference = referenceOf(app, text);
    const lifetime = wish.token?.exp === undefined ? app.lifetime : wish.token.exp - start - at;
    if (wish.untold !== 'token')
      say(
        app.name,
        'token.issued',
        at,
        {
          kind: 'access',
          ...('sha256' in reference ? { iss: app.issuer, sha256: reference.sha256 } : reference),
          sub: `${app.name}/${user.sub}`,
          client_id: clientAt(client, app),
          aud: [app.resource],
          scope: scopeText(app, operations),
          iat: start + at,
          ...(wish.token?.kind === 'refresh' ? {} : { exp: start + at + lifetime }),
          id_jag: client.agent ? { ...jag, agent: client.agent } : jag,
          ...wish.token,
        },
        wish.late,
      );
    const told = 'sha256' in reference ? reference.sha256 : reference.jti;
    return { reference, name: told, connection, operations, idJag: jag, at, lifetime };
  }

  function call(
    { reference, connection: { app } }: Token,
    { at, operation, network, records = 1, denied }: Call,
  ): void {
    const common = {
      token: reference,
      operation,
      route: ROUTES[operation],
      client_address: network.address(random),
    };
    if (app.summarises)
      say(app.name, 'access.summary', at + SUMMARY_S, {
        ...common,
        outcome: denied === undefined ? 'allowed' : 'denied',
        // A refused call is tried again by events of its own.
        count: denied === undefined ? 1 + random.below(4) : 1,
        from: start + at,
        to: start + at + SUMMARY_S,
        status: denied ?? 200,
        records,
        bytes: 400 + records * 200,
      });
    else if (denied !== undefined)
      say(app.name, 'access.denied', at, {
        ...common,
        status: denied,
        error: denied === 401 ? 'invalid_token' : 'insufficient_scope',
      });
    else
      say(app.name, 'access.allowed', at, {
        ...common,
        scope: scopeText(app, [operation]),
        status: 200,
        records,
        bytes: 400 + records * (100 + random.below(300)),
      });
  }

  return {
    events,
    start,
    say,
    idJag,
    token,
    call,
    grant: (wish) => token(wish, idJag(wish)),
    refreshed: (first, at, refresh) =>
      token(
        {
          at,
          user: first.idJag,
          connection: first.connection,
          operations: first.operations,
          token: { parent: refresh.reference },
        },
        first.idJag,
      ),
    user: (event, at, { sub }) => say(IDP, event, at, { iss, sub }),
    connection(event, at, { client, app, approved }, operations = approved) {
      say(IDP, event, at, {
        iss,
        idp_client_id: client.id,
        aud: [app.issuer],
        client_id: clientAt(client, app),
        resource: [app.resource],
        scope: scopeText(app, operations),
        ...(client.agent ? { agent: client.agent } : {}),
      });
    },
  };
}

const ROUTES: Readonly<Record<Operation, string>> = {
  read: 'GET /items/{id}',
  write: 'POST /items',
  delete: 'DELETE /items/{id}',
  export: 'GET /export',
  admin: 'PUT /settings',
};

const referenceOf = (app: App, text: string): Reference =>
  app.opaque ? { sha256: hash('sha256', `${app.issuer} ${text}`, 'base64url') } : { iss: app.issuer, jti: text };
