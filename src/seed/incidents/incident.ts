import { timeText, type EventDataOf, type SourceEventName } from '../../contracts/index.js';
import { referenceOf, type TokenReference } from '../grants.js';
import { clientAt, type App, type Client, type Organisation } from '../organisation.js';
import { ID_JAG_LIFETIME_S, IDP, TOKEN_LIFETIME_S, type SeedEvent } from '../seed-event.js';

/** Something that went wrong: its events, and what the questions must answer about it. */
export interface Incident {
  readonly name: string;
  /** Tells the incident in one or two sentences, with the number of days before the end on which it happened. */
  readonly happened: string;
  /** Reports the incident's events. */
  tell(scene: Scene): void;
  /** Lists what to ask and what must be answered. The answers are written out, never computed from what the service says. */
  answers(scene: Scene): readonly ExpectedAnswer[];
}

export interface ExpectedAnswer {
  /** The question in words, as an analyst asks it. */
  readonly question: string;
  readonly path: string;
  /** A question that is asked first. The value that `members` selects in its answer replaces `{id}` in `path`. */
  readonly after?: { readonly path: string; readonly members: readonly (string | number)[] };
  /** Members that the answer must have, with lists exactly as long as here; other members are free. */
  readonly answer?: Readonly<Record<string, unknown>>;
  /** Members that at least one item of the answer must have; for lists that also hold items of others. */
  readonly oneItem?: Readonly<Record<string, unknown>>;
}

/** One access token of an incident. */
export interface Token {
  readonly reference: TokenReference;
  readonly app: App;
  readonly user: string;
  readonly client: Client;
  readonly idJag: { readonly iss: string; readonly jti: string };
}

export interface TokenWish {
  readonly at: number;
  readonly user: string;
  readonly client: string;
  readonly app: string;
  readonly scope: string;
  /** Unique in the incident. */
  readonly as: string;
  /** The exchanged token, for a later hop. */
  readonly parent?: Token;
  /** When `token.issued` arrives, if it is late. Epoch seconds. */
  readonly issuedArrives?: number;
}

export interface Call {
  readonly at: number;
  readonly route: string;
  readonly from: string;
  readonly records?: number;
  readonly bytes?: number;
  /** Status with which the call was refused. */
  readonly denied?: number;
}

export interface Scene {
  readonly organisation: Organisation;
  /** Converts a time of day (UTC), so many days before the day on which the history ends, to epoch seconds. */
  at(daysBefore: number, time: string): number;
  /** Gives the same moment as answers and questions say it. */
  time(daysBefore: number, time: string): string;
  /** Reports what administrators do to a connection. */
  connection(
    name: 'connection.created' | 'connection.updated' | 'connection.deleted',
    at: number,
    client: string,
    app: string,
    scope: string,
  ): void;
  /** Reports an ID-JAG and the access token that it is traded for a second later. */
  token(wish: TokenWish): Token;
  call(token: Token, call: Call): void;
  say<N extends SourceEventName>(party: string, name: N, at: number, data: EventDataOf[N]): void;
}

const DAY_S = 86_400;

/** Creates the scene in which an incident is told. `hear` receives the events; a scene that is only for answers needs none. */
export function createScene(
  organisation: Organisation,
  end: number,
  incident: string,
  hear: (event: SeedEvent) => void = () => undefined,
): Scene {
  let number = 0;
  const midnight = Math.floor(end / DAY_S) * DAY_S;
  const { issuer: iss } = organisation.idp;
  const emit = <N extends SourceEventName>(
    party: string,
    name: N,
    at: number,
    data: EventDataOf[N],
    arrives = at + 1,
  ): void => hear({ party, name, id: `${incident}-${number++}`, at, arrives, data, prompt: true });
  const at = (daysBefore: number, time: string): number => {
    const [hours, minutes, seconds = 0] = time.split(':').map(Number) as [number, number, number?];
    return midnight - daysBefore * DAY_S + hours * 3_600 + minutes * 60 + seconds;
  };
  const partsOf = (clientId: string, appName: string) => ({
    client: organisation.client(clientId),
    app: organisation.app(appName),
  });

  return {
    organisation,
    at,
    time: (daysBefore, time) => timeText(at(daysBefore, time)),
    say: (party, name, when, data) => emit(party, name, when, data),
    connection(name, when, clientId, appName, scope) {
      const { client, app } = partsOf(clientId, appName);
      const agent = client.agent ? { agent: client.agent } : {};
      emit(IDP, name, when, {
        iss,
        idp_client_id: client.id,
        aud: [app.issuer],
        client_id: clientAt(client, app),
        resource: [app.resource],
        scope,
        ...agent,
      });
    },
    token(wish) {
      const { client, app } = partsOf(wish.client, wish.app);
      const client_id = clientAt(client, app);
      const agent = client.agent ? { agent: client.agent } : {};
      const parent = wish.parent && { parent: wish.parent.reference };
      const session = { sid: `s-${wish.user}-${incident}`, auth_time: wish.at - 900 };
      const idJag = {
        iss,
        jti: `${incident}-${wish.as}`,
        sub: wish.user,
        client_id,
        iat: wish.at,
        exp: wish.at + ID_JAG_LIFETIME_S,
        ...session,
      };
      // The IdP states the exchanged token as `parent`. The application sees an ID-JAG like any other.
      emit(IDP, 'id-jag.issued', wish.at, {
        ...idJag,
        idp_client_id: client.id,
        aud: [app.issuer],
        resource: [app.resource],
        scope: wish.scope,
        ...agent,
        ...parent,
      });
      const reference = referenceOf(app, `${incident}-${wish.as}`);
      const identity = 'sha256' in reference ? { iss: app.issuer, sha256: reference.sha256 } : reference;
      const issued = {
        kind: 'access' as const,
        ...identity,
        sub: `${app.name}-${wish.user}`,
        client_id,
        aud: [app.resource],
        scope: wish.scope,
      };
      const times = { iat: wish.at + 1, exp: wish.at + 1 + TOKEN_LIFETIME_S };
      emit(
        app.name,
        'token.issued',
        wish.at + 1,
        { ...issued, ...times, id_jag: { ...idJag, ...agent } },
        wish.issuedArrives,
      );
      return { reference, app, user: wish.user, client, idJag };
    },
    call({ reference, app }, { at: when, route, from, records, bytes, denied }) {
      const known = app.routes.find((one) => one.route === route);
      if (known === undefined) throw new TypeError(`${app.name} has no route ${route}`);
      const common = { token: reference, operation: known.operation, route, client_address: from };
      if (denied !== undefined)
        emit(app.name, 'access.denied', when, {
          ...common,
          status: denied,
          error: denied === 401 ? 'invalid_token' : 'insufficient_scope',
        });
      else
        emit(app.name, 'access.allowed', when, {
          ...common,
          scope: known.scope,
          status: 200,
          records: records ?? 1,
          bytes: bytes ?? 1_000,
        });
    },
  };
}
