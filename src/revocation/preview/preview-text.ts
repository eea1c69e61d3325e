import { loadSql } from '../../platform/postgres/index.js';
import { personOf } from '../../projections/index.js';
import type { Selector } from '../../rules/index.js';

const TOKENS = loadSql(import.meta.url, 'preview-tokens.sql').replace('{person}', () =>
  personOf('u.usr', '9223372036854775807'),
);
const CLIENTS = loadSql(import.meta.url, 'preview-clients.sql');

/** Small ids of a selector's members, from `preview-names.sql`. `own_…` is the name itself; the lists include its other names. */
export interface Names {
  readonly own_user: number | null;
  readonly own_client: number | null;
  readonly own_agent: number | null;
  readonly own_resource: number | null;
  readonly users: number[] | null;
  readonly clients: number[] | null;
  readonly covered_users: number[] | null;
  readonly covered_clients: number[] | null;
  readonly session_users: number[] | null;
  readonly id_jags: Buffer[] | null;
}

/** Ids and keys by which an index finds candidate tokens. */
export interface Seeds {
  readonly users: readonly number[];
  readonly clients: readonly number[];
  readonly agents: readonly number[];
  readonly token: Buffer | undefined;
  readonly idJags: readonly Buffer[];
  /** Also look at tokens that state this session: it is all that is known if an IdP sends no events, or for an issuer's own sessions. */
  readonly session: Selector['session'];
  /** Whether to look at tokens whose user is unknown. */
  readonly unnamed: boolean;
}

export interface Statement {
  readonly name?: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

/**
 * Values of a statement. The statement contains only the selector's members: the rest need not be planned, and one index reads each part.
 */
class Parameters {
  readonly values: unknown[];

  constructor(first: readonly unknown[]) {
    this.values = [...first];
  }

  add(value: unknown, type: string): string {
    this.values.push(value);
    return `$${this.values.length}::${type}`;
  }
}

const ALIVE = `(t.conflict_ix IS NULL AND t.iat >= $4 AND (t.exp > $2 OR (t.exp IS NULL AND t.facts ->> 'kind' = 'refresh')))`;
const END = 'coalesce(t.exp, t.iat + 2592000)';
const COLUMNS = `t.key, t.usr, t.client, t.agent, t.res, t.id_jag_key, t.facts, ${ALIVE} AS alive`;

export interface TokensQuestion {
  readonly tenant: string;
  readonly selector: Selector;
  readonly names: Names;
  readonly seeds: Seeds;
  readonly keys: { readonly token: Buffer | null; readonly session: Buffer | null };
  /** Epoch seconds. */
  readonly now: number;
  readonly lastHour: number;
  readonly oldest: number;
  /** Upper bound on the rows that one step counts. */
  readonly most: number;
  /** Selects grants until `at`, clock skew included. `reauthenticate`: also those of an older sign-in. */
  readonly before: { readonly at: number; readonly reauthenticate: boolean } | undefined;
}

export function tokensStatement(question: TokensQuestion): Statement {
  const { tenant, selector, now, lastHour, oldest, most, before } = question;
  const parameters = new Parameters([tenant, now, lastHour, oldest, most]);
  const branches = branchesOf(question.seeds, parameters);
  const selected = selectedText(question, parameters);
  const { standing, connections } = standingText(question, parameters);
  const text = TOKENS.replace('{seeds}', () => branches.map(([, branch]) => branch).join('\n  UNION ALL\n  '))
    .replace('{selected}', () => selected)
    .replace('{children}', () => childrenOf('selected'))
    .replace('{grandchildren}', () => childrenOf('first'))
    .replace('{standing}', () => standing)
    .replace('{connections}', () => connections)
    .replaceAll('{alive}', () => ALIVE);
  const members = Object.keys(selector);
  // Only frequent statements get a name; the others have too many texts to keep prepared.
  const name =
    members.length === 1 && before === undefined
      ? { name: `preview-tokens-${members[0]!}-${branches.map(([letter]) => letter).join('')}` }
      : {};
  return { ...name, text, values: parameters.values };
}

/** Returns the branches, each with a letter of its own that distinguishes the statement's texts. */
function branchesOf(
  { users, clients, agents, token, idJags, session, unnamed }: Seeds,
  parameters: Parameters,
): readonly (readonly [letter: string, text: string])[] {
  const branches: [string, string][] = [];
  const named = (column: 'usr' | 'client' | 'agent', ids: readonly number[]): void => {
    if (ids.length === 0) return;
    branches.push([
      column[0]!,
      `SELECT r.part, d.id, r.ended, k.* FROM unnest(${parameters.add(ids, 'int[]')}) d (id) CROSS JOIN found r
  CROSS JOIN LATERAL (
    SELECT ${COLUMNS} FROM token t
    WHERE t.tenant = $1 AND t.${column} = d.id AND ${END} > r.low AND ${END} <= r.high
    ORDER BY ${END} DESC LIMIT $5
  ) k`,
    ]);
  };
  named('usr', users);
  named('client', clients);
  named('agent', agents);
  if (token)
    branches.push([
      'k',
      `SELECT 'k', 0, false, ${COLUMNS} FROM token t WHERE t.tenant = $1 AND t.key = ${parameters.add(token, 'bytea')}`,
    ]);
  if (idJags.length > 0)
    branches.push([
      'j',
      `(SELECT 'j', 0, false, ${COLUMNS} FROM token t WHERE t.tenant = $1 AND t.id_jag_key = ANY (${parameters.add(idJags, 'bytea[]')}) LIMIT $5)`,
    ]);
  if (session) {
    const [iss, sid] = textsOf(parameters, [session.iss, session.sid]);
    const stating = (part: string, path: string): string => `(SELECT '${part}', 0, false, ${COLUMNS} FROM token t
    WHERE t.tenant = $1 AND ${path.replace('?', 'sid')} = ${sid} AND ${path.replace('?', 'iss')} = ${iss} ORDER BY t.ix DESC LIMIT $5)`;
    branches.push([
      's',
      `${stating('i', `t.facts #>> '{id_jag,?}'`)}\n  UNION ALL\n  ${stating('o', `t.facts ->> '?'`)}`,
    ]);
  }
  // The facts may contain the RAS's own name for the user, and no grant of the resource shows it.
  if (unnamed)
    branches.push([
      'n',
      `(SELECT 'n', 0, false, ${COLUMNS} FROM token t WHERE t.tenant = $1 AND t.usr IS NULL ORDER BY t.ix DESC LIMIT $5)`,
    ]);
  if (branches.length === 0)
    branches.push(['', `SELECT 'k', 0, false, ${COLUMNS} FROM token t WHERE t.tenant = $1 AND false`]);
  return branches;
}

/** Evaluates an expression on the ID-JAG that the token `s` came from, by either of its keys. Null if no event told of it. */
const ofIdJag = (expression: string, all = 'bool_or'): string => `coalesce(
      (SELECT ${expression} FROM id_jag j WHERE j.tenant = $1 AND j.key = s.id_jag_key),
      (SELECT ${all}(${expression}) FROM id_jag j WHERE j.tenant = $1 AND j.sha_key = s.id_jag_key))`;

/**
 * Builds the conditions of the selector. A small id equals the name in the facts or in the ID-JAG's facts: if the id matches, no facts
 * are read.
 */
function selectedText({ selector, names, keys, before }: TokensQuestion, parameters: Parameters): string {
  const conditions: string[] = [];
  const json = (value: object): string => parameters.add(JSON.stringify(value), 'jsonb');
  const stated = `s.facts -> 'id_jag'`;
  if (selector.token) conditions.push(`s.key = ${parameters.add(keys.token, 'bytea')}`);
  if (selector.id_jag) conditions.push(`s.id_jag_key = ANY (${parameters.add(names.id_jags, 'bytea[]')})`);
  if (selector.session) {
    const session = json(selector.session);
    conditions.push(
      `(s.facts @> ${session} OR ${stated} @> ${session} OR ${ofIdJag(`j.session_key = ${parameters.add(keys.session, 'bytea')}`)})`,
    );
  }
  if (selector.user) {
    const id = parameters.add(names.own_user, 'int');
    const [user, iss, sub, tenant] = [
      json(selector.user),
      ...textsOf(parameters, [selector.user.iss, selector.user.sub, selector.user.tenant ?? null]),
    ];
    conditions.push(`(s.usr = ${id} OR (s.facts @> ${user} AND s.facts ->> 'tenant' IS NOT DISTINCT FROM ${tenant})
      OR (s.facts ->> 'iss' = ${iss} AND ${stated} ->> 'aud_sub' = ${sub} AND ${stated} ->> 'aud_tenant' IS NOT DISTINCT FROM ${tenant})
      OR ${ofIdJag(`j.usr = ${id} OR (j.facts ->> 'aud_sub' = ${sub} AND j.facts -> 'aud' ? ${iss} AND j.facts ->> 'aud_tenant' IS NOT DISTINCT FROM ${tenant})`)})`);
  }
  if (selector.client) {
    const id = parameters.add(names.own_client, 'int');
    const [iss, clientId] = textsOf(parameters, [selector.client.iss, selector.client.client_id]);
    conditions.push(`(s.client = ${id} OR ${ofIdJag(`j.idp_client = ${id} OR (j.facts ->> 'client_id' = ${clientId} AND j.facts -> 'aud' ? ${iss})`)}
      OR (s.facts ->> 'iss' = ${iss} AND ${stated} ->> 'client_id' = ${clientId}))`);
  }
  if (selector.agent) {
    const [iss, agent] = textsOf(parameters, [selector.agent.iss, selector.agent.id]);
    const id = parameters.add(names.own_agent, 'int');
    conditions.push(`(s.agent = ${id} OR ((s.facts ->> 'iss' = ${iss} OR ${stated} ->> 'iss' = ${iss}) AND s.facts #>> '{agent,id}' = ${agent})
      OR (${stated} ->> 'iss' = ${iss} AND ${stated} #>> '{agent,id}' = ${agent}) OR ${ofIdJag(`j.agent = ${id}`)})`);
  }
  if (selector.agent_type !== undefined) {
    const type = parameters.add(selector.agent_type, 'text');
    conditions.push(
      `(${type} IN (s.facts #>> '{agent,type}', ${stated} #>> '{agent,type}') OR ${ofIdJag(`j.facts #>> '{agent,type}' = ${type}`)})`,
    );
  }
  if (selector.resource !== undefined) {
    const resource = parameters.add(selector.resource, 'text');
    // A token that a RAS issued for an ID-JAG is for the RAS itself, too.
    conditions.push(`(${parameters.add(names.own_resource, 'int')} = ANY (s.res) OR (s.facts ->> 'iss' = ${resource} AND s.facts ? 'id_jag')
      OR ${ofIdJag(`j.facts -> 'resource' ? ${resource} OR j.facts -> 'aud' ? ${resource}`)})`);
  }
  if (selector.issuer !== undefined) {
    const issuer = parameters.add(selector.issuer, 'text');
    conditions.push(
      `(${issuer} IN (s.facts ->> 'iss', ${stated} ->> 'iss') OR ${ofIdJag(`j.facts ->> 'iss' = ${issuer}`)})`,
    );
  }
  if (before) {
    const at = parameters.add(before.at, 'bigint');
    const least = (member: string): string =>
      `least((s.facts ->> '${member}')::bigint, (${stated} ->> '${member}')::bigint, ${ofIdJag(`(j.facts ->> '${member}')::bigint`, 'min')})`;
    conditions.push(
      `(${least('iat')} <= ${at}${before.reauthenticate ? ` OR coalesce(${least('auth_time')}, 0) <= ${at}` : ''})`,
    );
  }
  return conditions.length === 0 ? 'true' : conditions.join('\n    AND ');
}

const textsOf = (parameters: Parameters, values: readonly (string | null)[]): string[] =>
  values.map((value) => parameters.add(value, 'text'));

const childrenOf = (
  of: string,
): string => `SELECT t.key, t.usr, t.client, t.res, ${ALIVE} AS alive FROM token t WHERE t.tenant = $1 AND t.parent_key = ANY (ARRAY(SELECT key FROM ${of}))
  UNION ALL
  SELECT t.* FROM id_jag j
  CROSS JOIN LATERAL (SELECT t.key, t.usr, t.client, t.res, ${ALIVE} AS alive FROM token t WHERE t.tenant = $1 AND t.id_jag_key IN (j.key, j.sha_key) OFFSET 0) t
  WHERE j.tenant = $1 AND j.parent_key = ANY (ARRAY(SELECT key FROM ${of}))`;

/** Builds the statement that finds clients, for a selector without token, ID-JAG, session, user, agent and client. */
export function clientsStatement(tenant: string, { resource }: Selector, resourceKey: Buffer | null): Statement {
  const parameters = new Parameters([tenant]);
  const text = (clients: string): string => CLIENTS.replace('{clients}', () => clients);
  if (resource === undefined)
    return {
      name: 'preview-clients',
      text: text('SELECT e.id FROM entity e WHERE e.tenant = $1 AND e.kind = 2'),
      values: parameters.values,
    };
  // A token that a RAS issued for an ID-JAG is for the RAS itself, too.
  const ofResource = `SELECT s.client AS id FROM edge_seen s WHERE s.tenant = $1 AND s.res = (SELECT r.id FROM entity r WHERE r.tenant = $1 AND r.kind = 5 AND r.key = ${parameters.add(resourceKey, 'bytea')})
  UNION
  SELECT e.id FROM entity e WHERE e.tenant = $1 AND e.kind = 2 AND e.parts ->> 0 = ${parameters.add(resource, 'text')}`;
  return { name: 'preview-clients-resource', text: text(ofResource), values: parameters.values };
}

/**
 * Whether the rule ends standing rights. One on a token, an ID-JAG, a session or a type of agent does not: only rights behind its tokens
 * count.
 */
const isStanding = ({ token, id_jag: idJag, session, agent_type: agentType }: Selector): boolean =>
  !token && !idJag && !session && agentType === undefined;

const NO_GRANTS = 'SELECT NULL::int AS usr, NULL::int AS client, NULL::int AS res WHERE false';
const HELD_CONNECTIONS = '(c.client, c.res) IN (SELECT client, res FROM held)';

/** Builds the conditions of the standing rights and connections that a rule on their user, client or resource would select. */
function standingText(
  { selector, names }: TokensQuestion,
  parameters: Parameters,
): { readonly standing: string; readonly connections: string } {
  if (!isStanding(selector)) return { standing: NO_GRANTS, connections: HELD_CONNECTIONS };
  const { issuer, user, client, agent, resource } = selector;
  const grants = ['g.to_ix IS NULL'];
  const connections: string[] = [];
  if (user) {
    grants.push(`g.usr = ANY (${parameters.add(names.covered_users, 'int[]')})`);
    connections.push(HELD_CONNECTIONS);
  }
  if (client) {
    const ids = parameters.add(names.covered_clients, 'int[]');
    grants.push(`g.client = ANY (${ids})`);
    connections.push(`(c.client = ANY (${ids}) OR c.idp_client = ANY (${ids}))`);
  }
  if (agent) {
    const id = parameters.add(names.own_agent, 'int');
    grants.push(`g.agent = ${id}`);
    connections.push(`c.agent = ${id}`);
  }
  if (resource !== undefined) {
    const id = parameters.add(names.own_resource, 'int');
    grants.push(`g.res = ${id}`);
    connections.push(`c.res = ${id}`);
  }
  if (issuer !== undefined) {
    const text = parameters.add(issuer, 'text');
    grants.push(
      `EXISTS (SELECT FROM entity e WHERE e.tenant = $1 AND e.id IN (g.usr, g.client) AND e.parts ->> 0 = ${text})`,
    );
    connections.push(`${text} IN (c.parts ->> 0, c.parts ->> 3)`);
  }
  return {
    standing: `SELECT g.usr, g.client, g.res FROM grant_version g WHERE g.tenant = $1 AND ${grants.join(' AND ')}`,
    connections: connections.length === 0 ? 'true' : connections.join(' AND '),
  };
}
