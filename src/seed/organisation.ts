import type { EventDataOf } from '../contracts/index.js';
import { AGENTS, APPS, FIRST_NAMES, LAST_NAMES, PLAIN_CLIENTS, RESERVED } from './names.js';
import { createRandom, type Random } from './random.js';

export const USERS = 5_000;

export type Operation = EventDataOf['access.allowed']['operation'];

export interface Route {
  readonly route: string;
  readonly operation: Operation;
  readonly scope: string;
}

/** A resource application: its authorization server and its API, which are one source. */
export interface App {
  readonly name: string;
  readonly uri: string;
  readonly issuer: string;
  readonly resource: string;
  readonly scopes: readonly string[];
  readonly routes: readonly Route[];
  /** Its tokens are opaque. */
  readonly opaque: boolean;
  /** The application sends summaries instead of one event a call. */
  readonly summarises: boolean;
  /** The application numbers its events. */
  readonly numbers: boolean;
}

export interface Client {
  readonly id: string;
  readonly agent: { readonly id: string; readonly type: string } | undefined;
}

/** One connection that the IdP's administrators approved. */
export interface Connection {
  readonly client: Client;
  readonly app: App;
  readonly scope: string;
}

export interface Organisation {
  readonly domain: string;
  readonly idp: { readonly issuer: string; readonly uri: string };
  /** Subjects at the IdP, the busiest first. */
  readonly users: readonly string[];
  readonly apps: readonly App[];
  readonly clients: readonly Client[];
  /** Connections of every client except those reserved for incidents. */
  readonly connections: ReadonlyMap<Client, readonly Connection[]>;
  app(name: string): App;
  client(id: string): Client;
}

/** Creates the organisation. The same seed and domain give the same people, applications and approvals, however long they are observed. */
export function createOrganisation({ seed, domain }: { readonly seed: string; readonly domain: string }): Organisation {
  const random = createRandom(`${seed} organisation`);
  const apps = APPS.map(([name, ...nouns], nth) => makeApp(domain, nth, name, nouns));
  const clients: Client[] = [
    ...PLAIN_CLIENTS.map((id) => ({ id, agent: undefined })),
    ...AGENTS.map(([id, type]) => ({ id, agent: { id: `agent-${id}`, type } })),
  ];
  const isReserved = (list: readonly string[], name: string): boolean => list.includes(name);
  const open = apps.filter(({ name }) => !isReserved(RESERVED.apps, name));
  const connections = new Map(
    clients
      .filter(({ id }) => !isReserved(RESERVED.clients, id))
      .map((client, nth) => [client, connect(random, client, open, nth)]),
  );
  const find = <T>(list: readonly T[], is: (one: T) => boolean, what: string): T => {
    const found = list.find(is);
    if (found === undefined) throw new TypeError(`there is no ${what}`);
    return found;
  };
  return {
    domain,
    idp: { issuer: `https://idp.${domain}`, uri: `https://idp.${domain}/events` },
    users: makeUsers(random),
    apps,
    clients,
    connections,
    app: (name) => find(apps, (app) => app.name === name, `application ${name}`),
    client: (id) => find(clients, (client) => client.id === id, `client ${id}`),
  };
}

/** Names the client at an application's authorization server, which has a name of its own for each client. */
export const clientAt = ({ id }: Client, app: App): string => `${id}-at-${app.name}`;

const OPAQUE_EVERY = 4;
const SUMMARY_EVERY = 9;
const NUMBERED_EVERY = 10;

function makeApp(domain: string, nth: number, name: string, nouns: readonly string[]): App {
  const scope = (operation: Operation): string => `${name}.${operation}`;
  const routes = nouns.flatMap((noun): [string, Operation][] => [
    [`GET /${noun}`, 'read'],
    [`GET /${noun}/{id}`, 'read'],
    [`POST /${noun}`, 'write'],
    [`PATCH /${noun}/{id}`, 'write'],
    [`DELETE /${noun}/{id}`, 'delete'],
  ]);
  routes.push(['tools/search', 'read'], ['GET /export', 'export'], ['PUT /settings', 'admin']);
  return {
    name,
    uri: `https://${name}.${domain}/events`,
    issuer: `https://login.${name}.${domain}`,
    resource: `https://api.${name}.${domain}`,
    scopes: (['read', 'write', 'delete', 'export', 'admin'] as const).map(scope),
    routes: routes.map(([route, operation]) => ({ route, operation, scope: scope(operation) })),
    opaque: nth % OPAQUE_EVERY === 3,
    summarises: nth % SUMMARY_EVERY === 8,
    numbers: nth % NUMBERED_EVERY === 9 && name !== 'press',
  };
}

function makeUsers(random: Random): string[] {
  const reserved = new Set<string>(RESERVED.users);
  const names = FIRST_NAMES.flatMap((first) => LAST_NAMES.map((last) => `${first}.${last}`)).filter(
    (name) => !reserved.has(name),
  );
  for (let at = names.length - 1; at > 0; at--) {
    const other = random.below(at + 1);
    [names[at], names[other]] = [names[other]!, names[at]!];
  }
  return [...names.slice(0, USERS - reserved.size), ...reserved];
}

/** Draws a client's connections. Busy clients are connected to many applications; more scopes are approved than are mostly used. */
function connect(random: Random, client: Client, apps: readonly App[], nth: number): Connection[] {
  const wanted = 4 + random.below(nth < 6 ? 20 : 8);
  const reached = new Set<App>();
  while (reached.size < wanted) reached.add(apps[random.skewed(apps.length, 1.6)]!);
  return [...reached].map((app) => {
    const granted = app.scopes.filter((_, rank) => rank === 0 || random.chance([1, 0.7, 0.25, 0.2, 0.06][rank]!));
    return { client, app, scope: granted.join(' ') };
  });
}
