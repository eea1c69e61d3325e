import { RescindError } from '../../contracts/index.js';
import { loadSql } from '../../platform/postgres/index.js';
import { ENTITY_KINDS, MAX_COUNTED, type Early, type Prepared } from '../../projections/index.js';
import {
  DIMENSIONS,
  ruleKey,
  ruleKeyToBytes,
  selectorParts,
  tokenRef,
  type Dimension,
  type Parts,
  type RuleKey,
  type Selector,
  type TokenFacts,
  type TokenKeys,
} from '../../rules/index.js';
import { NO_SEEDS, type Seeds } from './seeds.js';

/**
 * Other names of one user or client. With more, the question is refused, because the answer could not say what it
 * leaves out.
 */
const MAX_NAMES = 1_000;

const START_NAMES = loadSql(import.meta.url, 'start-names.sql');
const BY_ID = { name: 'reach-start-id', text: START_NAMES.replace('{named}', 'e.id = $2::int') };
const BY_KEY = { name: 'reach-start-key', text: START_NAMES.replace('{named}', 'e.key = $2::bytea') };
const RESOURCE = `SELECT e.id FROM entity e WHERE e.tenant = $1 AND e.kind = ${ENTITY_KINDS.resource}`;
/**
 * Finds clients that may hold tokens for a resource: those that hold one, those seen with it (an ID-JAG's resource need
 * not be its token's) and, if the resource is a RAS, the RAS's own clients. A token that a RAS issues for an ID-JAG is
 * for the RAS, too, which need not be recorded as a resource.
 */
const clientsOf = (name: string, resource: string, uri: string): Prepared => ({
  name,
  text: `SELECT s.client FROM edge_seen s WHERE s.tenant = $1 AND s.res = (${resource}) AND s.first_ix < $3::bigint
    UNION SELECT s.client FROM client_resource s WHERE s.tenant = $1 AND s.res = (${resource}) AND s.first_ix < $3
    UNION SELECT c.id FROM entity c WHERE c.tenant = $1 AND c.kind = ${ENTITY_KINDS.client} AND c.parts ->> 0 = ${uri} AND c.from_ix < $3`,
});
const PARTS = (part: number): string =>
  `(SELECT e.parts ->> ${part} FROM entity e WHERE e.tenant = $1 AND e.id = $2::int)`;
const RESOURCE_CLIENTS = {
  byId: clientsOf('reach-clients-id', `${RESOURCE} AND e.id = $2::int`, PARTS(0)),
  byName: clientsOf('reach-clients-name', `${RESOURCE} AND e.key = $4::bytea`, '$2::text'),
} as const;
/**
 * Finds the ids of all agents of one name, whoever issued it: an agent's id that only a RAS states is recorded as the
 * RAS's, and belongs to the IdP of the token's ID-JAG, too.
 */
const agentsOf = (name: string, agent: string): Prepared => ({
  name,
  text: `SELECT a.id FROM entity a WHERE a.tenant = $1 AND a.kind = ${ENTITY_KINDS.agent} AND lower(a.parts ->> -1) = lower(${agent}) AND a.parts ->> -1 = ${agent} AND a.from_ix < $3::bigint`,
});
const AGENTS_OF_NAME = {
  byId: agentsOf('reach-agents-id', PARTS(-1)),
  byName: agentsOf('reach-agents-name', '$2::text'),
} as const;
/** Finds tokens to which no column leads from a name of the start: the name that was asked for, or one at a RAS. */
const strayTokens = (name: string, named: string, key: string): Prepared => ({
  name,
  text: `SELECT n.tok AS key FROM token_name n WHERE n.tenant = $1 AND n.name = ANY (ARRAY(
      SELECT ${key}
      UNION ALL
      SELECT l.key FROM entity o JOIN alias a ON a.tenant = $1 AND a.idp = o.id JOIN entity l ON l.tenant = $1 AND l.id = a.local
      WHERE o.tenant = $1 AND o.kind = $3::smallint AND ${named})) AND n.first_ix < $4::bigint
    LIMIT $5`,
});
const STRAY_TOKENS = {
  byId: strayTokens(
    'reach-strays-id',
    'o.id = $2::int',
    '(SELECT e.key FROM entity e WHERE e.tenant = $1 AND e.id = $2::int)',
  ),
  byKey: strayTokens('reach-strays-key', 'o.key = $2::bytea', '$2::bytea'),
} as const;
/** Finds tokens that state the ID-JAG by a name that is not their `id_jag_key`. */
const ID_JAG_STRAYS = {
  name: 'reach-strays-id-jag',
  text: 'SELECT tok AS key FROM token_name WHERE tenant = $1 AND name = $2 AND first_ix < $3::bigint LIMIT $4',
};
/** Finds all clients with tokens: the search begins there for a name that is recorded nowhere but in facts. */
const ALL_CLIENTS = {
  name: 'reach-clients-all',
  text: `SELECT c.id AS client FROM entity c WHERE c.tenant = $1 AND c.kind = ${ENTITY_KINDS.client} AND c.from_ix < $2::bigint
  AND EXISTS (SELECT FROM token t WHERE t.tenant = $1 AND t.client = c.id OFFSET 0)`,
};
const SESSION = {
  name: 'reach-session',
  text: 'SELECT 1 FROM session WHERE tenant = $1 AND key = $2 AND from_ix < $3',
};
const SESSION_ID_JAGS = {
  name: 'reach-session-id-jags',
  text: 'SELECT key, sha_key FROM id_jag WHERE tenant = $1 AND session_key = $2 AND ix < $3 ORDER BY ix DESC LIMIT $4',
};
/**
 * Finds tokens that state the session. An IdP that sends no events, or an issuer's own session, is known from tokens
 * alone; a rule stops those that state it.
 */
const SESSION_TOKENS = {
  name: 'reach-session-tokens',
  text: `(SELECT key FROM token WHERE tenant = $1 AND facts #>> '{id_jag,sid}' = $3 AND facts #>> '{id_jag,iss}' = $2 AND ix < $4 ORDER BY ix DESC LIMIT $5)
  UNION ALL (SELECT key FROM token WHERE tenant = $1 AND facts ->> 'sid' = $3 AND facts ->> 'iss' = $2 AND ix < $4 ORDER BY ix DESC LIMIT $5)`,
};
const FIND_ID_JAG = `SELECT key, sha_key FROM id_jag WHERE tenant = $1 AND key = $2 AND ix < $3 UNION ALL SELECT key, sha_key FROM id_jag WHERE tenant = $1 AND sha_key = $2 AND ix < $3`;
const IS_ID_JAG_NAMED = 'SELECT 1 FROM token WHERE tenant = $1 AND id_jag_key = $2 AND ix < $3 LIMIT 1';
/** Whether an event has mentioned the name. An issuer is mentioned by the names that it gives. */
const IS_SEEN = {
  agent_type: `SELECT 1 FROM entity WHERE tenant = $1 AND kind = ${ENTITY_KINDS.agent_type} AND key = $2 AND from_ix < $3`,
  issuer: `SELECT 1 FROM entity WHERE tenant = $1 AND kind IN (${ENTITY_KINDS.user}, ${ENTITY_KINDS.client}, ${ENTITY_KINDS.agent}) AND parts ->> 0 = $2 AND from_ix < $3 LIMIT 1`,
} as const;
const FIND_TOKEN = 'SELECT facts FROM token WHERE tenant = $1 AND key = $2 AND ix < $3';

/** An entity, by the id that another answer gave it or by its name. */
export type EntityRef = { readonly id: number } | { readonly parts: Parts };

/** The thing that the search starts from, as it was asked for: by a reference, or by a selector of one member. */
export type AskedStart =
  | { readonly kind: 'user' | 'client' | 'agent' | 'resource'; readonly ref: EntityRef }
  | { readonly kind: 'token'; readonly key: Buffer }
  | { readonly selector: Selector };

/** A name by which a rule finds what is compromised. */
export interface StartName {
  readonly selector: Selector;
  readonly dimension: Dimension;
  readonly key: RuleKey;
}

export interface Start {
  readonly kind: Dimension;
  /** Whether anything of this name had been seen. A rule may name what was never seen. */
  readonly seen: boolean;
  /**
   * The first is the name that was asked for. The others are names at a RAS that, as far as events say, belong to
   * nobody else.
   */
  readonly names: readonly StartName[];
  /**
   * Ids under which uses and grants of a user, client, agent or resource are recorded; the first is that of the name
   * that was asked for. Others have none: what belongs to them is known through their tokens.
   */
  readonly entities: readonly number[];
  /** Ids of other names that an event ties to this one. `covered`: the answer includes what belongs to the name. */
  readonly others: readonly { readonly id: number; readonly covered: boolean }[];
  readonly seeds: Seeds;
}

/** Finds the start. Rejects with `not-found` if nothing of this name had been seen at the moment of the snapshot. */
export async function findStart(snapshot: Early, tenantKey: Uint8Array, asked: AskedStart): Promise<Start> {
  const start = await ('selector' in asked
    ? findMember(snapshot, tenantKey, asked.selector)
    : asked.kind === 'token'
      ? findToken(snapshot, tenantKey, asked.key)
      : findNamed(snapshot, tenantKey, asked, MAX_NAMES));
  if (!start.seen) throw unseen(start.kind);
  return start;
}

const WORDS: Partial<Record<Dimension, string>> = { id_jag: 'ID-JAG', agent_type: 'type of agent' };
const unseen = (kind: Dimension): RescindError =>
  new RescindError('not-found', { detail: `no ${WORDS[kind] ?? kind} of this name or id had been seen` });

/** Finds what a selector of one member names, also if it was never seen. */
export async function findMember(snapshot: Early, tenantKey: Uint8Array, selector: Selector): Promise<Start> {
  const start = startOf(tenantKey, selector);
  const key = ruleKeyToBytes(start.names[0]!.key);
  switch (start.kind) {
    case 'token':
      return { ...start, seeds: { ...NO_SEEDS, tokens: [key] } };
    case 'id_jag':
      return findIdJag(snapshot, start, key);
    case 'session':
      return findSession(snapshot, start, key, selector.session!);
    case 'agent_type':
    case 'issuer':
      return findInFacts(snapshot, start, start.kind, selector.issuer ?? key);
    default:
      return findNamed(
        snapshot,
        tenantKey,
        { kind: start.kind, ref: { parts: selectorParts(selector)[0]![1] } },
        MAX_COUNTED,
      );
  }
}

/** Finds the clients with tokens: where the search begins if nothing narrower is named. */
export async function findAllClients(snapshot: Early): Promise<Seeds> {
  const clients = await snapshot.rows<{ client: number }>(ALL_CLIENTS, [String(snapshot.index)]);
  return { ...NO_SEEDS, clients: clients.map(({ client }) => client) };
}

/** Returns the first name by which a token is reached. */
export const reachedBy = ({ names }: Start, { sets }: TokenKeys): StartName | undefined =>
  names.find(({ dimension, key }) => sets[DIMENSIONS.indexOf(dimension)]!.includes(key));

/** A start that was seen, without ids and seeds. */
function startOf(tenantKey: Uint8Array, selector: Selector): Start {
  const [[dimension, parts]] = selectorParts(selector) as readonly [readonly [Dimension, Parts]];
  return {
    kind: dimension,
    seen: true,
    names: [{ selector, dimension, key: ruleKey(tenantKey, dimension, parts) }],
    entities: [],
    others: [],
    seeds: NO_SEEDS,
  };
}

type Named = Extract<AskedStart, { ref: unknown }>;

interface NameRow {
  readonly [column: string]: unknown;
  readonly id: number;
  readonly parts: Parts;
  readonly covered: boolean;
}

async function findNamed(
  snapshot: Early,
  tenantKey: Uint8Array,
  { kind, ref }: Named,
  mostNames: number,
): Promise<Start> {
  const index = String(snapshot.index);
  const byId = 'id' in ref;
  const named = byId ? ref.id : ruleKeyToBytes(ruleKey(tenantKey, kind, ref.parts));
  const [names, strays, clients, agents] = await Promise.all([
    snapshot.rows<NameRow>(byId ? BY_ID : BY_KEY, [named, index, mostNames + 1, ENTITY_KINDS[kind]]),
    snapshot.rows<{ key: Buffer }>(byId ? STRAY_TOKENS.byId : STRAY_TOKENS.byKey, [
      named,
      ENTITY_KINDS[kind],
      index,
      MAX_COUNTED,
    ]),
    kind !== 'resource'
      ? []
      : byId
        ? snapshot.rows<{ client: number }>(RESOURCE_CLIENTS.byId, [named, index])
        : snapshot.rows<{ client: number }>(RESOURCE_CLIENTS.byName, [ref.parts[0], index, named]),
    kind !== 'agent'
      ? []
      : byId
        ? snapshot.rows<{ id: number }>(AGENTS_OF_NAME.byId, [named, index])
        : snapshot.rows<{ id: number }>(AGENTS_OF_NAME.byName, [ref.parts.at(-1), index]),
  ]);
  const own = names.find(({ nth }) => nth === 0);
  const tied = names.filter(({ nth }) => nth !== 0);
  if (tied.length > mostNames)
    throw new RescindError('filter-too-wide', {
      detail: `the ${kind} has more than ${mostNames} other names: ask by one of them`,
    });
  const parts = own?.parts ?? (byId ? undefined : ref.parts);
  if (parts === undefined) throw unseen(kind);
  const covered = tied.filter((other) => other.covered);
  const looked = names.map(({ id }) => id);
  const start = startOf(tenantKey, selectorOf(kind, parts));
  return {
    ...start,
    seen: own !== undefined || clients.length + strays.length > 0,
    names: [...start.names, ...covered.flatMap((other) => startOf(tenantKey, selectorOf(kind, other.parts)).names)],
    entities: own === undefined ? [] : [own.id, ...covered.map(({ id }) => id)],
    others: tied,
    seeds: {
      ...NO_SEEDS,
      users: kind === 'user' ? looked : [],
      clients: kind === 'client' ? looked : clients.map(({ client }) => client),
      agents: agents.map(({ id }) => id),
      tokens: strays.map(({ key }) => key),
    },
  };
}

function selectorOf(kind: Named['kind'], parts: Parts): Selector {
  const [first, second, third] = parts as readonly [string, string | null, string];
  switch (kind) {
    case 'user':
      return { user: second === null ? { iss: first, sub: third } : { iss: first, tenant: second, sub: third } };
    case 'client':
      return { client: { iss: first, client_id: second! } };
    case 'agent':
      return { agent: { iss: first, id: second! } };
    case 'resource':
      return { resource: first };
    default:
      return kind satisfies never;
  }
}

async function findInFacts(
  snapshot: Early,
  start: Start,
  kind: keyof typeof IS_SEEN,
  name: string | Buffer,
): Promise<Start> {
  const [seeds, seen] = await Promise.all([
    findAllClients(snapshot),
    snapshot.rows(IS_SEEN[kind], [name, String(snapshot.index)]),
  ]);
  return { ...start, seen: seen.length > 0, seeds };
}

async function findSession(
  snapshot: Early,
  start: Start,
  key: Buffer,
  { iss, sid }: NonNullable<Selector['session']>,
): Promise<Start> {
  const [sessions, stating, idJags] = await Promise.all([
    snapshot.rows(SESSION, [key, String(snapshot.index)]),
    snapshot.rows<{ key: Buffer }>(SESSION_TOKENS, [iss, sid, String(snapshot.index), MAX_COUNTED]),
    snapshot.rows<IdJagKeys>(SESSION_ID_JAGS, [key, String(snapshot.index), MAX_COUNTED]),
  ]);
  return {
    ...start,
    seen: sessions.length + stating.length + idJags.length > 0,
    seeds: { ...NO_SEEDS, tokens: stating.map((token) => token.key), idJags: keysOf(idJags) },
  };
}

interface IdJagKeys {
  readonly [column: string]: unknown;
  readonly key: Buffer;
  readonly sha_key: Buffer | null;
}
const keysOf = (rows: readonly IdJagKeys[]): Buffer[] =>
  rows.flatMap(({ key, sha_key: sha }) => (sha === null ? [key] : [key, sha]));

async function findIdJag(snapshot: Early, start: Start, key: Buffer): Promise<Start> {
  const [rows, named, strays] = await Promise.all([
    snapshot.rows<IdJagKeys>(FIND_ID_JAG, [key, String(snapshot.index)]),
    snapshot.rows(IS_ID_JAG_NAMED, [key, String(snapshot.index)]),
    snapshot.rows<{ key: Buffer }>(ID_JAG_STRAYS, [key, String(snapshot.index), MAX_COUNTED]),
  ]);
  return {
    ...start,
    seen: rows.length + named.length + strays.length > 0,
    seeds: { ...NO_SEEDS, idJags: [key, ...keysOf(rows)], tokens: strays.map((token) => token.key) },
  };
}

async function findToken(snapshot: Early, tenantKey: Uint8Array, key: Buffer): Promise<Start> {
  const [row] = await snapshot.rows<{ facts: TokenFacts }>(FIND_TOKEN, [key, String(snapshot.index)]);
  if (!row) throw unseen('token');
  return { ...startOf(tenantKey, { token: tokenRef(row.facts) }), seeds: { ...NO_SEEDS, tokens: [key] } };
}
