import { RescindError } from '../../contracts/index.js';
import { loadSql } from '../../platform/postgres/index.js';
import { ENTITY_KINDS, MAX_COUNTED } from '../../projections/index.js';
import {
  DIMENSIONS,
  ruleKey,
  ruleKeyToBytes,
  selectorParts,
  tokenRef,
  type Dimension,
  type RuleKey,
  type Selector,
  type TokenFacts,
  type TokenKeys,
} from '../../rules/index.js';
import type { Early, Prepared } from '../ask/snapshot.pg.js';
import type { AskedStart } from './parameters.js';

/**
 * Other names of one user or client. With more, the question is refused, because the answer could not say what it
 * leaves out.
 */
const MAX_NAMES = 1_000;

const START_NAMES = loadSql(import.meta.url, 'start-names.sql');
const BY_ID = { name: 'reach-start-id', text: START_NAMES.replace('{named}', 'e.id = $2::int') };
const BY_KEY = { name: 'reach-start-key', text: START_NAMES.replace('{named}', 'e.key = $2::bytea') };
/**
 * Finds clients that may hold tokens for a resource: those seen with it and, if the resource is a RAS, the RAS's own
 * clients. A token that a RAS issues for an ID-JAG is for the RAS, too.
 */
const clientsOf = (name: string, named: string): Prepared => ({
  name,
  text: `WITH own AS MATERIALIZED (SELECT e.id, e.parts ->> 0 AS uri FROM entity e WHERE e.tenant = $1 AND e.kind = ${ENTITY_KINDS.resource} AND ${named} AND e.from_ix < $3::bigint)
    SELECT s.client FROM edge_seen s WHERE s.tenant = $1 AND s.res = (SELECT id FROM own) AND s.first_ix < $3
    UNION SELECT c.id FROM entity c WHERE c.tenant = $1 AND c.kind = ${ENTITY_KINDS.client} AND c.parts ->> 0 = (SELECT uri FROM own) AND c.from_ix < $3`,
});
const RESOURCE_CLIENTS = {
  byId: clientsOf('reach-clients-id', 'e.id = $2::int'),
  byKey: clientsOf('reach-clients-key', 'e.key = $2::bytea'),
} as const;
const SESSION_USERS = {
  name: 'reach-session',
  text: 'SELECT usr FROM session WHERE tenant = $1 AND key = $2 AND from_ix < $3',
};
const SESSION_ID_JAGS = {
  name: 'reach-session-id-jags',
  text: `SELECT key, sha_key FROM id_jag WHERE tenant = $1 AND usr = ANY (ARRAY(${SESSION_USERS.text})) AND session_key = $2 AND ix < $3 ORDER BY ix DESC LIMIT $4`,
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
const FIND_TOKEN = 'SELECT facts FROM token WHERE tenant = $1 AND key = $2 AND ix < $3';

/** A name by which a rule finds what is compromised. */
export interface StartName {
  readonly selector: Selector;
  readonly dimension: Dimension;
  readonly key: RuleKey;
}

export interface Start {
  readonly kind: AskedStart['kind'];
  /**
   * The first is the name that was asked for. The others are names at a RAS that, as far as events say, belong to
   * nobody else.
   */
  readonly names: readonly StartName[];
  /** Ids under which uses and grants are recorded; none for a session, an ID-JAG or a token. */
  readonly entities: readonly number[];
  /** Ids of other names that an event ties to this one. `covered`: the answer includes what belongs to the name. */
  readonly others: readonly { readonly id: number; readonly covered: boolean }[];
  readonly seeds: Seeds;
}

/** Ids and keys by which indexes find tokens that may be reached. */
export interface Seeds {
  readonly users: readonly number[];
  readonly clients: readonly number[];
  readonly agents: readonly number[];
  /** The clients are those of a resource; any of them may also hold tokens for other resources only. */
  readonly ofResource: boolean;
  readonly tokens: readonly Buffer[];
  readonly idJags: readonly Buffer[];
}

export const NO_SEEDS: Seeds = { users: [], clients: [], agents: [], ofResource: false, tokens: [], idJags: [] };

/** Finds the start. Rejects with `not-found` if nothing of this name had been seen at the moment of the snapshot. */
export async function findStart(snapshot: Early, tenantKey: Uint8Array, asked: AskedStart): Promise<Start> {
  switch (asked.kind) {
    case 'session':
      return findSession(snapshot, tenantKey, asked);
    case 'id_jag':
      return findIdJag(snapshot, tenantKey, asked);
    case 'token': {
      const [row] = await snapshot.rows<{ facts: TokenFacts }>(FIND_TOKEN, [asked.key, String(snapshot.index)]);
      if (!row) throw unseen('token');
      return {
        kind: 'token',
        names: [nameOf(tenantKey, { token: tokenRef(row.facts) })],
        entities: [],
        others: [],
        seeds: { ...NO_SEEDS, tokens: [asked.key] },
      };
    }
    default:
      return findNamed(snapshot, tenantKey, asked);
  }
}

const unseen = (what: string): RescindError =>
  new RescindError('not-found', { detail: `no ${what} of this name or id had been seen` });

/** Returns the first name by which a token is reached. */
export const reachedBy = ({ names }: Start, { sets }: TokenKeys): StartName | undefined =>
  names.find(({ dimension, key }) => sets[DIMENSIONS.indexOf(dimension)]!.includes(key));

type Parts = readonly (string | null)[];
type Named = Extract<AskedStart, { ref: unknown }>;

async function findNamed(snapshot: Early, tenantKey: Uint8Array, { kind, ref }: Named): Promise<Start> {
  const [statement, named] =
    'id' in ref ? [BY_ID, ref.id] : [BY_KEY, ruleKeyToBytes(ruleKey(tenantKey, kind, ref.parts))];
  const [[own, ...tied], clients] = await Promise.all([
    snapshot.rows<{ id: number; parts: Parts; covered: boolean }>(statement, [
      named,
      String(snapshot.index),
      MAX_NAMES + 1,
      ENTITY_KINDS[kind],
    ]),
    kind === 'resource'
      ? snapshot.rows<{ client: number }>(RESOURCE_CLIENTS['id' in ref ? 'byId' : 'byKey'], [
          named,
          String(snapshot.index),
        ])
      : [],
  ]);
  if (!own) throw unseen(kind);
  if (tied.length > MAX_NAMES)
    throw new RescindError('filter-too-wide', {
      detail: `the ${kind} has more than ${MAX_NAMES} other names: ask by one of them`,
    });
  const { id } = own;
  const first = nameOf(tenantKey, selectorOf(kind, own.parts));
  if (kind === 'agent')
    return { kind, names: [first], entities: [id], others: [], seeds: { ...NO_SEEDS, agents: [id] } };
  if (kind === 'resource')
    return {
      kind,
      names: [first],
      entities: [id],
      others: [],
      seeds: { ...NO_SEEDS, ofResource: true, clients: clients.map(({ client }) => client) },
    };
  const covered = tied.filter((other) => other.covered);
  const looked = [id, ...tied.map((other) => other.id)];
  return {
    kind,
    names: [first, ...covered.map(({ parts }) => nameOf(tenantKey, selectorOf(kind, parts)))],
    entities: [id, ...covered.map((other) => other.id)],
    others: tied,
    seeds: { ...NO_SEEDS, ...(kind === 'user' ? { users: looked } : { clients: looked }) },
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

async function findSession(
  snapshot: Early,
  tenantKey: Uint8Array,
  { iss, sid }: Extract<AskedStart, { kind: 'session' }>,
): Promise<Start> {
  const name = nameOf(tenantKey, { session: { iss, sid } });
  const key = ruleKeyToBytes(name.key);
  const [rows, stating, idJags] = await Promise.all([
    snapshot.rows<{ usr: number | null }>(SESSION_USERS, [key, String(snapshot.index)]),
    snapshot.rows<{ key: Buffer }>(SESSION_TOKENS, [iss, sid, String(snapshot.index), MAX_COUNTED]),
    snapshot.rows<IdJagKeys>(SESSION_ID_JAGS, [key, String(snapshot.index), MAX_COUNTED]),
  ]);
  if (rows.length + stating.length === 0) throw unseen('session');
  const users = rows.flatMap(({ usr }) => usr ?? []);
  return {
    kind: 'session',
    names: [name],
    entities: [],
    others: [],
    seeds: { ...NO_SEEDS, users, tokens: stating.map((token) => token.key), idJags: keysOf(idJags) },
  };
}

interface IdJagKeys {
  readonly [column: string]: unknown;
  readonly key: Buffer;
  readonly sha_key: Buffer | null;
}
const keysOf = (rows: readonly IdJagKeys[]): Buffer[] =>
  rows.flatMap(({ key, sha_key: sha }) => (sha === null ? [key] : [key, sha]));

async function findIdJag(
  snapshot: Early,
  tenantKey: Uint8Array,
  { name: asked }: Extract<AskedStart, { kind: 'id_jag' }>,
): Promise<Start> {
  const name = nameOf(tenantKey, { id_jag: asked });
  const key = ruleKeyToBytes(name.key);
  const rows = await snapshot.rows<IdJagKeys>(FIND_ID_JAG, [key, String(snapshot.index)]);
  if (rows.length === 0 && (await snapshot.rows(IS_ID_JAG_NAMED, [key, String(snapshot.index)])).length === 0)
    throw unseen('ID-JAG');
  return {
    kind: 'id_jag',
    names: [name],
    entities: [],
    others: [],
    seeds: { ...NO_SEEDS, idJags: [key, ...keysOf(rows)] },
  };
}

function nameOf(tenantKey: Uint8Array, selector: Selector): StartName {
  const [[dimension, parts]] = selectorParts(selector) as readonly [readonly [Dimension, Parts]];
  return { selector, dimension, key: ruleKey(tenantKey, dimension, parts) };
}
