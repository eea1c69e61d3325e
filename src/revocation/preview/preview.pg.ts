import type { Pool, PoolClient, QueryResult } from 'pg';
import { RescindError } from '../../contracts/index.js';
import type { Tenant } from '../../control/index.js';
import { loadSql, onConnection, queryTogether } from '../../platform/postgres/index.js';
import { COUNTING_TIMEOUT_MS, ENTER_GATE, MAX_COUNTED } from '../../projections/index.js';
import {
  MAX_LINEAGE_AGE_S,
  ruleKeyToBytes,
  selectorParts,
  ruleKey,
  type Dimension,
  type Selector,
} from '../../rules/index.js';
import type { Order } from '../order-input.js';
import { clientsStatement, tokensStatement, type Names, type Seeds, type Statement } from './preview-text.js';

const NAMES = { name: 'preview-names', text: loadSql(import.meta.url, 'preview-names.sql') };

const HOUR_S = 3_600;

/**
 * One plan of each text for all values: most selectors take as long to plan as to count. JIT compilation and workers cost more than they
 * save.
 */
const SETTINGS = {
  statement_timeout: String(COUNTING_TIMEOUT_MS),
  jit: 'off',
  max_parallel_workers_per_gather: '0',
  plan_cache_mode: 'force_generic_plan',
} as const;
const BEGIN: readonly Statement[] = [
  { name: 'preview-begin', text: 'BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY', values: [] },
  { name: 'preview-gate', text: ENTER_GATE, values: [] },
  {
    name: 'preview-settings',
    text: `SELECT ${Object.entries(SETTINGS)
      .map(([name, value]) => `set_config('${name}', '${value}', true)`)
      .join(', ')}`,
    values: [],
  },
];
const COMMIT: Statement = { name: 'preview-commit', text: 'COMMIT', values: [] };

/** Numbers that a rule would hit if it were ordered now. */
export interface Preview {
  /** Number of ledger entries: entries with a lower index are counted. */
  readonly as_of: { readonly index: string };
  /** Tokens that have not expired, whether or not another rule already stops them. */
  readonly tokens: number;
  /** Tokens among them with an access in the last hour. */
  readonly used_in_last_hour: number;
  /** Users. A user with a name at a RAS and one at the IdP counts once. */
  readonly users: number;
  readonly grants: number;
  readonly connections: number;
  /** Set if a step reached its bound: the numbers are lower bounds. Absent if they are exact. */
  readonly at_least?: true;
}

export interface PreviewReader {
  /** `skew`: the largest of the tenant's sources, in seconds. Rejects with `filter-too-wide` if it takes too long. */
  read(tenant: Tenant, order: Order, skew: number): Promise<Preview>;
}

interface Counts {
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
        return await onConnection(pool, (client) =>
          preview(client, tenant, order, { now: Math.floor(now() / 1000), skew }),
        );
      } catch (error) {
        throw explain(error);
      }
    },
  };
}

async function preview(
  client: PoolClient,
  tenant: Tenant,
  order: Order,
  { now, skew }: { readonly now: number; readonly skew: number },
): Promise<Preview> {
  const { selector } = order;
  const keys = new Map(
    selectorParts(selector).map(([dimension, parts]): [Dimension, Buffer] => [
      dimension,
      ruleKeyToBytes(ruleKey(tenant.key, dimension, parts)),
    ]),
  );
  const key = (dimension: Dimension): Buffer | null => keys.get(dimension) ?? null;
  const naming = {
    ...NAMES,
    values: [tenant.id, key('user'), key('client'), key('agent'), key('resource'), key('session'), key('id_jag')],
  };
  const clients = isNarrow(selector) ? undefined : clientsStatement(tenant.id, selector, key('resource'));
  const [[names], found = []] = (await ask(client, [...BEGIN, naming, ...(clients ? [clients] : [])])).slice(
    BEGIN.length,
  ) as [[Named], { id: number }[]?];
  const seeds = findSeeds(
    selector,
    names,
    key('token'),
    found.map(({ id }) => id),
  );
  const counting = tokensStatement({
    tenant: tenant.id,
    selector,
    names,
    seeds,
    keys: { token: key('token'), session: key('session') },
    now,
    lastHour: now - HOUR_S,
    oldest: now - MAX_LINEAGE_AGE_S,
    most: MAX_COUNTED,
    before: order.before === undefined ? undefined : { at: order.before + skew, reauthenticate: order.reauthenticate },
  });
  // Nothing is written, so the rows of the read are the answer.
  const [[counts]] = (await ask(client, [counting, COMMIT])) as [[Counts]];
  return {
    as_of: { index: names.next_ix ?? '0' },
    tokens: Number(counts.tokens),
    used_in_last_hour: Number(counts.used),
    users: Number(counts.users),
    grants: Number(counts.grants),
    connections: Number(counts.connections),
    ...(counts.cut_off ? { at_least: true } : {}),
  };
}

type Named = Names & { readonly next_ix: string | null };

/** Returns the rows of statements that go in one round trip. */
const ask = async (client: PoolClient, statements: readonly Statement[]): Promise<unknown[][]> =>
  (await queryTogether(client, statements.map(queryOf))).map((result: QueryResult) => result.rows);

/** Whether the selector's names alone find the tokens. For other selectors the clients are looked up first. */
const isNarrow = ({ token, id_jag: idJag, session, user, agent, client }: Selector): boolean =>
  Boolean(token ?? idJag ?? session ?? user ?? agent ?? client);

/** Chooses the seeds by which an index finds the fewest tokens. */
function findSeeds(selector: Selector, names: Names, tokenKey: Buffer | null, clients: readonly number[]): Seeds {
  const none: Seeds = {
    users: [],
    clients: [],
    agents: [],
    token: undefined,
    idJags: [],
    session: undefined,
    unnamed: false,
  };
  const { token, id_jag: idJag, session, user, agent, client, resource } = selector;
  if (token) return { ...none, token: tokenKey! };
  if (idJag) return { ...none, idJags: names.id_jags! };
  if (session) return { ...none, users: names.session_users!, session };
  if (user) return { ...none, users: names.users!, unnamed: true };
  if (agent) return { ...none, agents: names.own_agent === null ? [] : [names.own_agent] };
  return { ...none, clients: client ? names.clients! : clients, unnamed: resource !== undefined };
}

/** Copies the values, because the driver may change the array that it gets. */
const queryOf = ({ values, ...statement }: Statement) => ({ ...statement, values: [...values] });

const QUERY_CANCELED = '57014';

function explain(error: unknown): unknown {
  if ((error as { code?: unknown }).code !== QUERY_CANCELED) return error;
  return new RescindError('filter-too-wide', {
    detail: `the preview took longer than ${COUNTING_TIMEOUT_MS / 1000} s: name more members in the selector`,
    cause: error,
  });
}
