import type { Pool, PoolClient } from 'pg';
import { RescindError } from '../contracts/index.js';
import type { Tenant } from '../control/index.js';
import { inTransaction, loadSql } from '../platform/index.js';
import { ENTER_GATE } from '../projections/index.js';
import { MAX_LINEAGE_AGE_S, ruleKeyToBytes, selectorParts, ruleKey, type Dimension, type Selector } from '../rules/index.js';
import type { Order } from './order-input.js';

const NAMES = loadSql(import.meta.url, 'preview-names.sql');
const TOKENS = loadSql(import.meta.url, 'preview-tokens.sql');
const GRANTS = loadSql(import.meta.url, 'preview-grants.sql');

/** Tokens that one preview looks at, over all users, clients or agents it begins from; more are not counted. */
const TOKENS_LOOKED_AT = 1_000;
/** Of each name of one user, client or agent: most of them have few. */
const OF_A_NAME = 300;
/** Tokens that have ended, of which a live one may have come. */
const ENDED_LOOKED_AT = 400;
/** Clients that a selector without token, ID-JAG, session, user and agent begins from. */
const MAX_CLIENTS = 2_000;
const MAX_GRANTS = 100_000;
/** A preview that takes longer is ended: it would hold a connection that orders wait for. */
const TIMEOUT_MS = 2_000;
const HOUR_S = 3_600;

const BEGIN = `SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; ${ENTER_GATE}; SET LOCAL statement_timeout = ${TIMEOUT_MS}; SET LOCAL jit = off`;

/** What a rule would reach if it were ordered now. */
export interface Preview {
  /** Entries of the ledger: what has a lower index is counted. */
  readonly as_of: { readonly index: string };
  /** Not expired, whether or not another rule stops them already. */
  readonly tokens: number;
  /** Of those, with an access in the last hour. */
  readonly used_in_last_hour: number;
  /** A user with a name of a RAS and one of the IdP is one. */
  readonly users: number;
  readonly grants: number;
  readonly connections: number;
  /** The counting ended at its bounds: each number is a lower one. */
  readonly at_least: boolean;
}

export interface PreviewReader {
  /** `skew`: the largest of the tenant's sources, seconds. Rejects with `filter-too-wide` when it takes too long. */
  read(tenant: Tenant, order: Order, skew: number): Promise<Preview>;
}

interface Names {
  readonly users: number[] | null;
  readonly clients: number[] | null;
  readonly agents: number[] | null;
  readonly resources: number[] | null;
  readonly session_users: number[] | null;
  readonly session_tokens: Buffer[] | null;
  readonly id_jags: Buffer[] | null;
  readonly clients_with_tokens: number[] | null;
}

interface TokenCounts {
  readonly tokens: string;
  readonly used: string;
  readonly users: string;
  readonly grants: string;
  readonly connections: string;
  readonly cut_off: boolean;
}

export function createPreviewReader({ pool, now }: { readonly pool: Pool; readonly now: () => number }): PreviewReader {
  return {
    async read(tenant, order, skew) {
      try {
        return await inTransaction(pool, async (client) => {
          await client.query(BEGIN);
          return await preview(client, tenant, order, { now: Math.floor(now() / 1000), skew });
        });
      } catch (error) {
        throw explain(error);
      }
    },
  };
}

async function preview(client: PoolClient, tenant: Tenant, order: Order, { now, skew }: { now: number; skew: number }): Promise<Preview> {
  const { selector } = order;
  const keys = new Map(selectorParts(selector).map(([dimension, parts]): [Dimension, Buffer] => [dimension, ruleKeyToBytes(ruleKey(tenant.key, dimension, parts))]));
  const key = (dimension: Dimension): Buffer | null => keys.get(dimension) ?? null;
  const { rows: heads } = await client.query<{ next_ix: string }>('SELECT next_ix FROM ledger_head WHERE tenant = $1', [tenant.id]);
  const { rows: named } = await client.query<Names>(NAMES, [tenant.id, key('user'), key('client'), key('agent'), key('resource'), key('session'), key('id_jag'), MAX_CLIENTS, selector.resource ?? null, selector.session?.iss ?? null, selector.session?.sid ?? null, TOKENS_LOOKED_AT]);
  const names = named[0]!;
  const seeds = seedsOf(selector, names, key('token'));
  const count = Math.max(1, [seeds.users, seeds.clients, seeds.agents].reduce((sum, ids) => sum + ids.length, 0));
  const fewest = seeds.clients.length > 0 && !selector.client ? 1 : OF_A_NAME;
  const { rows: counted } = await client.query<TokenCounts>(TOKENS, [
    tenant.id,
    now,
    Math.max(fewest, Math.ceil(TOKENS_LOOKED_AT / count)),
    seeds.users,
    seeds.clients,
    seeds.agents,
    seeds.tokens,
    seeds.idJags,
    key('token'),
    names.id_jags,
    jsonOrNull(selector.session),
    jsonOrNull(selector.user),
    jsonOrNull(selector.client),
    jsonOrNull(selector.agent),
    selector.agent_type ?? null,
    selector.resource ?? null,
    selector.issuer ?? null,
    order.before === undefined ? null : order.before + skew,
    order.reauthenticate,
    now - HOUR_S,
    now - MAX_LINEAGE_AGE_S,
    Math.max(Math.ceil(fewest / 4), Math.ceil(ENDED_LOOKED_AT / count)),
    seeds.unnamed,
  ]);
  const tokens = counted[0]!;
  const standing = isStanding(selector) ? await readStanding(client, tenant, selector, names) : undefined;
  return {
    as_of: { index: heads[0]?.next_ix ?? '0' },
    tokens: Number(tokens.tokens),
    used_in_last_hour: Number(tokens.used),
    users: Math.max(Number(tokens.users), standing?.users ?? 0),
    grants: standing?.grants ?? Number(tokens.grants),
    connections: standing?.connections ?? Number(tokens.connections),
    at_least: tokens.cut_off || (names.session_tokens?.length ?? 0) >= TOKENS_LOOKED_AT || names.clients_with_tokens?.length === MAX_CLIENTS || standing?.grants === MAX_GRANTS,
  };
}

/** By what an index finds the fewest tokens. `unnamed`: those whose user nobody has said are looked at too. */
function seedsOf({ token, id_jag: idJag, session, user, agent, resource }: Selector, names: Names, tokenKey: Buffer | null) {
  const none = { users: [] as number[], clients: [] as number[], agents: [] as number[], tokens: [] as Buffer[], idJags: [] as Buffer[], unnamed: false };
  if (token) return { ...none, tokens: [tokenKey!] };
  if (idJag) return { ...none, idJags: names.id_jags! };
  if (session) return { ...none, users: names.session_users!, tokens: names.session_tokens! };
  if (user) return { ...none, users: names.users!, unnamed: true };
  if (agent) return { ...none, agents: names.agents! };
  return { ...none, clients: names.clients_with_tokens ?? [], unnamed: resource !== undefined };
}

/** A rule on a token, an ID-JAG, a session or a type of agent ends no standing right: what is behind its tokens is counted. */
const isStanding = ({ token, id_jag: idJag, session, agent_type: agentType }: Selector): boolean => !token && !idJag && !session && agentType === undefined;

async function readStanding(client: PoolClient, tenant: Tenant, selector: Selector, names: Names): Promise<{ grants: number; users: number; connections: number }> {
  const { rows } = await client.query<{ grants: string; users: string; connections: string }>(GRANTS, [
    tenant.id,
    names.users,
    names.clients,
    names.agents,
    names.resources,
    selector.issuer ?? null,
    MAX_GRANTS,
  ]);
  const { grants, users, connections } = rows[0]!;
  return { grants: Number(grants), users: Number(users), connections: Number(connections) };
}

const jsonOrNull = (member: object | undefined): string | null => (member === undefined ? null : JSON.stringify(member));

const QUERY_CANCELED = '57014';

function explain(error: unknown): unknown {
  if ((error as { code?: unknown }).code !== QUERY_CANCELED) return error;
  return new RescindError('filter-too-wide', { detail: `the preview took longer than ${TIMEOUT_MS / 1000} s: name more members in the selector`, cause: error });
}
