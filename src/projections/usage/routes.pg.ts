import type { PoolClient } from 'pg';
import { byteaArray, int4Array, int8Array, loadSql, uuidArray } from '../../platform/postgres/index.js';
import { ruleKey, ruleKeyToBytes } from '../../rules/index.js';
import type { EntityBatch, EntityRef } from '../entities.pg.js';
import type { ProjectedEvent } from '../event.js';

/**
 * The most routes that one source may bring. A route is a template; a source that puts ids into it would create an entity for each
 * event. Beyond the limit a new route is counted as {@link OTHER_ROUTES}; the event's own text stays in the payload.
 */
export const MAX_ROUTES_A_SOURCE = 5_000;
export const OTHER_ROUTES = '(other routes)';

const READ_ROUTES = loadSql(import.meta.url, 'read-routes.sql');
const COUNT_ROUTES = loadSql(import.meta.url, 'count-routes.sql');

type RouteEvent = Pick<ProjectedEvent, 'tenant' | 'tenantKey' | 'ix' | 'source'>;

interface Asked {
  readonly event: RouteEvent;
  readonly route: string;
  /** Identifies the route within its tenant. */
  readonly key: string;
  ref: EntityRef | undefined;
}

/** The routes that a source has brought, and those that this batch adds. */
interface Budget {
  readonly tenant: string;
  readonly source: string;
  used: number;
  brought: number;
  over: number;
  firstOver: bigint | null;
}

export interface RouteBatch {
  /** Asks for a route. Call it in the order of indexes: which routes a source brought must not depend on how events were batched. */
  ask(event: RouteEvent, route: string): () => EntityRef;
  /** Decides the routes asked for, before the batch's entities are resolved. The caller holds the locks of the ledger heads, so the counts cannot change. */
  decide(client: PoolClient): Promise<void>;
  /** Writes the counts; returns, by source, the uses that were counted as {@link OTHER_ROUTES}. */
  count(client: PoolClient): Promise<ReadonlyMap<string, number>>;
}

export function createRouteBatch(entities: EntityBatch): RouteBatch {
  const asked: Asked[] = [];
  const budgets = new Map<string, Budget>();

  async function readBudgets(client: PoolClient, open: readonly Asked[]): Promise<ReadonlySet<string>> {
    const sources = [...new Map(open.map(({ event }) => [sourceOf(event), event])).values()];
    const routes = [...new Map(open.map((one) => [one.key, one])).values()];
    const { rows } = await client.query<{ nth: string | null; tenant: string; source: string; routes: number }>(
      READ_ROUTES,
      [
        uuidArray(sources.map(({ tenant }) => tenant)),
        uuidArray(sources.map(({ source }) => source)),
        uuidArray(routes.map(({ event }) => event.tenant)),
        byteaArray(routes.map(({ event, route }) => ruleKeyToBytes(ruleKey(event.tenantKey, 'route', [route])))),
      ],
    );
    for (const { tenant, source } of sources)
      budgets.set(sourceOf({ tenant, source }), { tenant, source, used: 0, brought: 0, over: 0, firstOver: null });
    const known = new Set<string>();
    for (const row of rows) {
      if (row.nth === null) budgets.get(sourceOf(row))!.used = row.routes;
      else known.add(routes[Number(row.nth) - 1]!.key);
    }
    return known;
  }

  /** Says whether the source may bring one more route, and counts it as brought or as over the limit. */
  function takeRoom(event: RouteEvent): boolean {
    const budget = budgets.get(sourceOf(event))!;
    if (budget.used + budget.brought < MAX_ROUTES_A_SOURCE) {
      budget.brought += 1;
      return true;
    }
    budget.over += 1;
    budget.firstOver ??= event.ix;
    return false;
  }

  return {
    ask(event, route) {
      const one: Asked = { event, route, key: `${event.tenant}|${route}`, ref: undefined };
      asked.push(one);
      return () => one.ref!;
    },
    async decide(client) {
      const refs = new Map<string, EntityRef>();
      const keep = ({ event, route, key }: Asked): EntityRef => {
        const ref = entities.want(event, 'route', [route]);
        refs.set(key, ref);
        return ref;
      };
      const met = new Map<string, boolean>();
      for (const { event, route, key } of asked)
        if (!met.has(key)) met.set(key, entities.remembers(event, 'route', [route]));
      const open = asked.filter(({ key }) => !met.get(key));
      const known: ReadonlySet<string> = open.length === 0 ? new Set() : await readBudgets(client, open);
      for (const one of asked) {
        const isThere = met.get(one.key) || known.has(one.key);
        one.ref =
          refs.get(one.key) ??
          (isThere || takeRoom(one.event) ? keep(one) : entities.want(one.event, 'route', [OTHER_ROUTES]));
      }
    },
    async count(client) {
      const changed = [...budgets.values()].filter(({ brought, over }) => brought > 0 || over > 0);
      if (changed.length > 0) {
        await client.query(COUNT_ROUTES, [
          uuidArray(changed.map(({ tenant }) => tenant)),
          uuidArray(changed.map(({ source }) => source)),
          int4Array(changed.map(({ brought }) => brought)),
          int8Array(changed.map(({ over }) => over)),
          int8Array(changed.map(({ firstOver }) => firstOver)),
        ]);
      }
      return new Map(changed.filter(({ over }) => over > 0).map(({ source, over }) => [source, over]));
    },
  };
}

const sourceOf = ({ tenant, source }: { readonly tenant: string; readonly source: string }): string =>
  `${tenant}|${source}`;
