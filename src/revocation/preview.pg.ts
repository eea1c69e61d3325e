import type { Pool, PoolClient, QueryResult } from 'pg';
import { RescindError } from '../contracts/index.js';
import type { Tenant } from '../control/index.js';
import { loadSql, onConnection, queryTogether } from '../platform/index.js';
import { ENTER_GATE } from '../projections/index.js';
import { MAX_LINEAGE_AGE_S, ruleKeyToBytes, selectorParts, ruleKey, type Dimension, type Selector } from '../rules/index.js';
import type { Order } from './order-input.js';
import { clientsStatement, grantsStatement, tokensStatement, type Names, type Seeds, type Statement } from './preview-text.js';

const NAMES = { name: 'preview-names', text: loadSql(import.meta.url, 'preview-names.sql') };

/** How much one preview looks at; more is not counted. */
export type Looks = 'thorough' | 'quick';

/** Over all users, clients or agents it begins from, and at least of each of their names: most have few. Ended tokens: a live one may have come of them. */
const LOOKED_AT = {
  thorough: { tokens: 1_000, ofAName: 300, ended: 400, endedOfAName: 75, grants: 100_000 },
  quick: { tokens: 100, ofAName: 25, ended: 100, endedOfAName: 10, grants: 500 },
  /** A quick one of what many use, of which there is more than is looked at. */
  quickOfMany: { tokens: 40, ofAName: 5, ended: 50, endedOfAName: 5, grants: 500 },
} as const;
/** Clients that a selector without token, ID-JAG, session, user and agent begins from. */
const MAX_CLIENTS = 2_000;
/** A preview that takes longer is ended: it would hold a connection that orders wait for. */
const TIMEOUT_MS = 2_000;
const HOUR_S = 3_600;

/** Each text is planned once for all its values: of most selectors planning takes as long as counting. Compiling and workers take longer than they save. */
const SETTINGS = { statement_timeout: String(TIMEOUT_MS), jit: 'off', max_parallel_workers_per_gather: '0', plan_cache_mode: 'force_generic_plan' } as const;
const BEGIN: readonly Statement[] = [
  { name: 'preview-begin', text: 'BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY', values: [] },
  { name: 'preview-gate', text: ENTER_GATE, values: [] },
  { name: 'preview-settings', text: `SELECT ${Object.entries(SETTINGS).map(([name, value]) => `set_config('${name}', '${value}', true)`).join(', ')}`, values: [] },
];
const COMMIT: Statement = { name: 'preview-commit', text: 'COMMIT', values: [] };

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
  read(tenant: Tenant, order: Order, skew: number, looks: Looks): Promise<Preview>;
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
    async read(tenant, order, skew, looks) {
      try {
        return await onConnection(pool, (client) => preview(client, tenant, order, { now: Math.floor(now() / 1000), skew, most: LOOKED_AT[looks === 'quick' && !order.selector.user ? 'quickOfMany' : looks] }));
      } catch (error) {
        throw explain(error);
      }
    },
  };
}

async function preview(client: PoolClient, tenant: Tenant, order: Order, { now, skew, most }: { now: number; skew: number; most: (typeof LOOKED_AT)[keyof typeof LOOKED_AT] }): Promise<Preview> {
  const { selector } = order;
  const keys = new Map(selectorParts(selector).map(([dimension, parts]): [Dimension, Buffer] => [dimension, ruleKeyToBytes(ruleKey(tenant.key, dimension, parts))]));
  const key = (dimension: Dimension): Buffer | null => keys.get(dimension) ?? null;
  const naming = { ...NAMES, values: [tenant.id, key('user'), key('client'), key('agent'), key('resource'), key('session'), key('id_jag')] };
  const clients = isNarrow(selector) ? undefined : clientsStatement(tenant.id, selector, key('resource'), MAX_CLIENTS);
  const [[names], found = []] = (await ask(client, [...BEGIN, naming, ...(clients ? [clients] : [])])).slice(BEGIN.length) as [[Named], { id: number }[]?];
  const seeds = findSeeds(selector, names, key('token'), found.map(({ id }) => id));
  const count = Math.max(1, seeds.users.length + seeds.clients.length + seeds.agents.length);
  const areMany = seeds.clients.length > 0 && !selector.client;
  const standingRights = isStanding(selector);
  const counting = tokensStatement({
    tenant: tenant.id,
    selector,
    names,
    seeds,
    keys: { token: key('token'), session: key('session') },
    now,
    lastHour: now - HOUR_S,
    oldest: now - MAX_LINEAGE_AGE_S,
    lookedAt: Math.max(areMany ? 1 : most.ofAName, Math.ceil(most.tokens / count)),
    endedLookedAt: Math.max(areMany ? 1 : most.endedOfAName, Math.ceil(most.ended / count)),
    before: order.before === undefined ? undefined : { at: order.before + skew, reauthenticate: order.reauthenticate },
    behind: !standingRights,
    further: most === LOOKED_AT.thorough,
  });
  // Nothing is written: what was read is the answer.
  const [[tokens], standingRows] = (await ask(client, [counting, ...(standingRights ? [grantsStatement(tenant.id, selector, names, most.grants)] : []), COMMIT])) as [[TokenCounts], StandingRow[]];
  const standing = standingRights ? standingOf(standingRows[0]!) : undefined;
  return {
    as_of: { index: names.next_ix ?? '0' },
    tokens: Number(tokens.tokens),
    used_in_last_hour: Number(tokens.used),
    users: Math.max(Number(tokens.users), standing?.users ?? 0),
    grants: standing?.grants ?? Number(tokens.grants),
    connections: standing?.connections ?? Number(tokens.connections),
    at_least: tokens.cut_off || seeds.clients.length === MAX_CLIENTS || standing?.grants === most.grants,
  };
}

type Named = Names & { readonly next_ix: string | null };

/** The rows of statements that go in one round trip. */
const ask = async (client: PoolClient, statements: readonly Statement[]): Promise<unknown[][]> => (await queryTogether(client, statements.map(queryOf))).map((result: QueryResult) => result.rows);

/** Whether names alone say where to look; of others the clients are looked for. */
const isNarrow = ({ token, id_jag: idJag, session, user, agent, client }: Selector): boolean => Boolean(token ?? idJag ?? session ?? user ?? agent ?? client);

/** By what an index finds the fewest tokens. */
function findSeeds(selector: Selector, names: Names, tokenKey: Buffer | null, clients: readonly number[]): Seeds {
  const none: Seeds = { users: [], clients: [], agents: [], token: undefined, idJags: [], session: undefined, unnamed: false };
  const { token, id_jag: idJag, session, user, agent, client, resource } = selector;
  if (token) return { ...none, token: tokenKey! };
  if (idJag) return { ...none, idJags: names.id_jags! };
  if (session) return { ...none, users: names.session_users!, session };
  if (user) return { ...none, users: names.users!, unnamed: true };
  if (agent) return { ...none, agents: names.own_agent === null ? [] : [names.own_agent] };
  return { ...none, clients: client ? names.clients!.slice(0, MAX_CLIENTS) : clients, unnamed: resource !== undefined };
}

/** A rule on a token, an ID-JAG, a session or a type of agent ends no standing right: what is behind its tokens is counted. */
const isStanding = ({ token, id_jag: idJag, session, agent_type: agentType }: Selector): boolean => !token && !idJag && !session && agentType === undefined;

interface StandingRow {
  readonly grants: string;
  readonly users: string;
  readonly connections: string;
}

const standingOf = ({ grants, users, connections }: StandingRow) => ({ grants: Number(grants), users: Number(users), connections: Number(connections) });

/** The driver takes what is its own to change. */
const queryOf = ({ values, ...statement }: Statement) => ({ ...statement, values: [...values] });

const QUERY_CANCELED = '57014';

function explain(error: unknown): unknown {
  if ((error as { code?: unknown }).code !== QUERY_CANCELED) return error;
  return new RescindError('filter-too-wide', { detail: `the preview took longer than ${TIMEOUT_MS / 1000} s: name more members in the selector`, cause: error });
}
