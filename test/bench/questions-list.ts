import type { Organisation } from '../../src/seed/index.js';

/** A question of the security team, asked about somebody else each time. */
export interface BenchQuestion {
  readonly name: string;
  /** `nth` chooses who it is about; `from` begins the last day of what is known at that moment, epoch seconds. */
  path(nth: number, from: number): string;
  /** The parameter that says as of when: `as_of` unless it is another. */
  readonly moment?: string;
  /** Largest number of such questions at a time; further ones are refused for want of room. */
  readonly atOnce?: number;
  /** Takes no `as_of`: it is about the present, or about what never changes. */
  readonly presentOnly?: true;
}

/** Names that had been seen at the earliest moment that is asked about. */
export interface Known {
  /** Subjects at the IdP. */
  readonly users: readonly string[];
  readonly entities: readonly number[];
  /** Keys, as answers give them. */
  readonly tokens: readonly string[];
  readonly rules: readonly string[];
  /** Entities that open findings are about. */
  readonly found: readonly number[];
}

export function questionsOf(
  organisation: Organisation,
  { users, entities, tokens, rules, found }: Known,
): readonly BenchQuestion[] {
  const { idp, apps } = organisation;
  const clients = [...organisation.connections.keys()];
  const agents = clients.filter(({ agent }) => agent);
  const of = <T>(list: readonly T[], nth: number): T => list[(nth * 7) % list.length]!;
  const user = (nth: number): string => `user_iss=${idp.issuer}&user_sub=${of(users, nth)}`;
  const client = (nth: number): string => `client_iss=${idp.issuer}&client_id=${of(clients, nth).id}`;
  const agent = (nth: number): string => `agent_iss=${idp.issuer}&agent_id=${of(agents, nth).agent!.id}`;
  const busyApp = (nth: number): string => `resource=${of(apps.slice(0, 12), nth).resource}`;
  return [
    { name: 'access', path: () => '/v1/access' },
    { name: 'access by user', path: (nth) => `/v1/access?${user(nth)}` },
    { name: 'access by client', path: (nth) => `/v1/access?${client(nth)}` },
    { name: 'access by agent, denied', path: (nth) => `/v1/access?${agent(nth)}&outcome=denied` },
    { name: 'access by resource, exports', path: (nth) => `/v1/access?${busyApp(nth)}&operation=export` },
    { name: 'access by resource, a day', path: (nth, from) => `/v1/access?${busyApp(nth)}&from=${from}` },
    { name: 'counts by day', path: () => '/v1/access/counts' },
    { name: 'counts of a client by day', path: (nth) => `/v1/access/counts?${client(nth)}` },
    {
      name: 'counts of a user by hour, a day',
      path: (nth, from) => `/v1/access/counts?${user(nth)}&by=hour&from=${from - (from % 3_600)}`,
    },
    { name: 'counts of a resource, exports', path: (nth) => `/v1/access/counts?${busyApp(nth)}&operation=export` },
    {
      name: 'what is new in a day',
      path: (_, from) => `/v1/changes?since=${new Date(from * 1000).toISOString()}`,
      moment: 'until',
    },
    { name: 'connections', path: () => '/v1/connections' },
    { name: 'connections of a client', path: (nth) => `/v1/connections?${client(nth)}` },
    { name: 'grants', path: () => '/v1/grants' },
    { name: 'grants of a user', path: (nth) => `/v1/grants?${user(nth)}` },
    { name: 'graph', path: () => '/v1/graph' },
    { name: 'matrix', path: () => '/v1/matrix' },
    { name: 'graph of a user', path: (nth) => `/v1/graph?${user(nth)}` },
    { name: 'graph around a user, two edges', path: (nth) => `/v1/graph?expand=${of(entities, nth)}&depth=2` },
    { name: 'graph around an issuer', path: () => `/v1/graph?expand=issuer:${idp.issuer}` },
    { name: 'graph of a client', path: (nth) => `/v1/graph?${client(nth)}` },
    { name: 'blast radius of a user', path: (nth) => `/v1/blast-radius?${user(nth)}` },
    { name: 'blast radius of an agent', path: (nth) => `/v1/blast-radius?${agent(nth)}` },
    { name: 'blast radius of a client', path: (nth) => `/v1/blast-radius?${client(nth)}` },
    { name: 'blast radius of a token', path: (nth) => `/v1/blast-radius?token=${of(tokens, nth)}` },
    { name: 'who reaches a resource', path: (nth) => `/v1/reach?${busyApp(nth)}` },
    { name: 'coverage', path: () => '/v1/coverage' },
    { name: 'check of a source', path: (nth) => `/v1/sources/${of(apps, nth).name}/check`, presentOnly: true },
    { name: 'token', path: (nth) => `/v1/tokens/${of(tokens, nth)}` },
    { name: 'search of a name', path: (nth) => `/v1/search?q=${of(users, nth)}` },
    { name: 'search of a beginning', path: (nth) => `/v1/search?q=${of(users, nth).slice(0, 4)}` },
    { name: 'search of a part', path: (nth) => `/v1/search?q=${of(users, nth).slice(1, 5)}` },
    { name: 'search of what nearly all names have', path: () => '/v1/search?q=corp.example' },
    { name: 'timeline of a user', path: (nth) => `/v1/timeline?${user(nth)}` },
    { name: 'timeline of an agent', path: (nth) => `/v1/timeline?${agent(nth)}` },
    { name: 'timeline of a client', path: (nth) => `/v1/timeline?${client(nth)}` },
    { name: 'timeline of a token', path: (nth) => `/v1/timeline?token=${of(tokens, nth)}` },
    { name: 'timeline of a resource', path: (nth) => `/v1/timeline?${busyApp(nth)}` },
    { name: 'all names of a user', path: (nth) => `/v1/entities/${of(entities, nth)}` },
    { name: 'an entity with open findings', path: (nth) => `/v1/entities/${of(found, nth)}` },
    { name: 'users', path: () => '/v1/users' },
    { name: 'users, last used first', path: () => '/v1/users?sort=last_used' },
    { name: 'users of a name', path: (nth) => `/v1/users?q=${of(users, nth).slice(0, 4)}` },
    { name: 'clients', path: () => '/v1/clients' },
    { name: 'agents', path: () => '/v1/agents' },
    { name: 'agents without an owner', path: () => '/v1/agents?owner=missing' },
    { name: 'resources', path: () => '/v1/resources' },
    { name: 'directory', path: () => '/v1/directory', presentOnly: true },
    { name: 'access review of a user', path: (nth) => `/v1/reports/access-review?${user(nth)}`, atOnce: 2 },
    { name: 'access review of a resource', path: (nth) => `/v1/reports/access-review?${busyApp(nth)}`, atOnce: 2 },
    { name: 'incident report', path: (nth) => `/v1/reports/incident?rule=${of(rules, nth)}` },
    { name: 'entry', path: (nth) => `/v1/entries/${1_000 + nth * 97}`, presentOnly: true },
    { name: 'sequences', path: () => '/v1/sequences', presentOnly: true },
  ];
}
