import type { Random } from '../../../src/seed/index.js';
import { DAY_S, SPAN_S } from '../calendar.js';
import { networkOfPerson } from '../noise.js';
import type { Network } from '../networks.js';
import {
  clientAt,
  type App,
  type Client,
  type Connection,
  type Operation,
  type Organisation,
  type Person,
} from '../organisation.js';
import type { Teller, Token } from '../teller.js';
import type { Act, Incident } from '../truth.js';

/** The means of every incident. Times are seconds from the story's beginning. */
export interface Scene {
  readonly organisation: Organisation;
  readonly random: Random;
  readonly teller: Teller;
  readonly acts: Act[];
  /** A time between two days of the story. */
  time(fromDay: number, toDay?: number): number;
  /** A person whom no other incident has, with a connection that fits. The person works normally too. */
  cast(fits?: (connection: Connection, person: Person) => boolean): Cast;
  network(cast: Cast, at: number): Network;
  /** A connection that is not there in ordinary life. */
  fresh(client: Client, operations: readonly Operation[]): Connection;
  /** A connection that no other incident has. */
  take(fits: (connection: Connection) => boolean): Connection;
  isTouched(connection: Connection): boolean;
  isCast(person: Person): boolean;
  add(incident: Told): void;
}

export interface Cast {
  readonly person: Person;
  readonly connection: Connection;
}

/** An incident with times from the story's beginning; `until` is an hour after the end unless it is given. */
export type Told = Omit<Incident, 'until' | 'also'> & Partial<Pick<Incident, 'until' | 'also'>>;

const SLACK_S = 3_600;
/** Kinds that need something to compare with happen after these days. */
export const LEARNT_DAYS = 4;
const LAST_DAY = 13.3;

export function createScene(
  organisation: Organisation,
  random: Random,
  teller: Teller,
): { readonly scene: Scene; readonly acts: Act[]; readonly truth: Incident[] } {
  const acts: Act[] = [];
  const truth: Incident[] = [];
  const people = new Set<Person>();
  const touched = new Set<Connection>();
  const pairs = new Set(organisation.connections.map(({ client, app }) => clientAt(client, app)));
  const isQuiet = ({ app }: Connection): boolean => !organisation.troubled.includes(app);
  const scene: Scene = {
    organisation,
    random,
    teller,
    acts,
    time: (fromDay, toDay = LAST_DAY) => Math.floor((fromDay + random.next() * (toDay - fromDay)) * DAY_S),
    cast(fits = () => true) {
      for (let tries = 0; tries < 50_000; tries++) {
        const person = random.pick(organisation.people);
        const connection = random.pick(person.habits);
        if (people.has(person) || !isQuiet(connection) || connection.app.summarises || !fits(connection, person))
          continue;
        people.add(person);
        return { person, connection };
      }
      throw new TypeError('nobody fits');
    },
    network: ({ person, connection }, at) => networkOfPerson(organisation, random, person, connection.client, at),
    fresh(client, operations) {
      const apps = organisation.apps.filter(
        (app: App) => !pairs.has(clientAt(client, app)) && !organisation.troubled.includes(app) && !app.summarises,
      );
      const app = random.pick(apps);
      pairs.add(clientAt(client, app));
      return { client, app, approved: operations, used: operations };
    },
    take(fits) {
      const connection = random.pick(
        organisation.connections.filter(
          (one) =>
            !touched.has(one) &&
            isQuiet(one) &&
            !one.app.summarises &&
            !organisation.services.includes(one.client) &&
            one.client !== organisation.scanner &&
            fits(one),
        ),
      );
      touched.add(connection);
      return connection;
    },
    isTouched: (connection) => touched.has(connection),
    isCast: (person) => people.has(person),
    add: ({ also = [], until, ...incident }) =>
      truth.push({
        ...incident,
        also,
        first: teller.start + incident.first,
        last: teller.start + incident.last,
        until: teller.start + Math.min(SPAN_S + SLACK_S, until ?? incident.last + SLACK_S),
      }),
  };
  return { scene, acts, truth };
}

/** How an answer may name a connection. */
export const namesOf = ({ client, app }: Connection): string[][] => [
  [clientAt(client, app)],
  [`"${client.id}"`, app.resource],
  [`"${client.id}"`, app.issuer],
  ...(client.agent ? [[client.agent.id, app.resource]] : []),
];

/** Reads or does something a few times and says when the last time was. */
export function callSome(
  { random, teller }: Scene,
  token: Token,
  network: Network,
  { from, count, operation = 'read', within }: { from: number; count: number; operation?: Operation; within: number },
): number {
  let at = from;
  for (let nth = 0; nth < count; nth++) {
    if (nth > 0) at += 1 + random.below(Math.max(1, Math.floor(within / count)));
    teller.call(token, { at, operation, network, records: operation === 'read' ? 1 + random.skewed(40) : 1 });
  }
  return at;
}
