import type { Pool } from 'pg';
import { ENTITY_KINDS, OPERATIONS, OUTCOMES } from '../../../src/projections/index.js';
import type { DimensionName, MeasureName } from '../../../src/explore/question/vocabulary.js';

/** A use as PostgreSQL has it. */
interface Use {
  readonly ix: number;
  readonly bound_ix: number | null;
  readonly at: number;
  readonly until_at: number;
  readonly usr: number | null;
  readonly client: number | null;
  readonly agent: number | null;
  readonly agent_ix: number | null;
  readonly res: number | null;
  readonly res_bound: boolean | null;
  readonly scopes: readonly number[] | null;
  readonly op: number | null;
  readonly outcome: number;
  readonly status: number | null;
  readonly route: number | null;
  readonly addr: number | null;
  readonly source: string;
  readonly tok: string;
  readonly n: number;
  readonly records: number | null;
  readonly bytes: number | null;
}

export type Group = Partial<Record<DimensionName, string | number | null>>;
export type Values = Partial<Record<MeasureName, number | null>>;

/** Reads all uses of a tenant and counts them one by one, as the words of the documentation say: the naive model of `explore`. */
export async function createRecount(pool: Pool, tenant: string) {
  const uses: Use[] = (
    await pool.query(
      `SELECT ix::float8, bound_ix::float8, at::float8, until_at::float8, usr, client, agent, agent_ix::float8, res, res_bound, scopes, op, outcome, status, route, addr,
              source, encode(tok, 'hex') AS tok, n::float8, records::float8, bytes::float8 FROM access WHERE tenant = $1`,
      [tenant],
    )
  ).rows;
  const entities = new Map<number, { kind: number; parts: string[]; key: string; from_ix: number }>(
    (
      await pool.query(
        `SELECT id, kind, parts, encode(key, 'hex') AS key, from_ix::float8 FROM entity WHERE tenant = $1`,
        [tenant],
      )
    ).rows.map((row) => [row.id, row]),
  );
  const directory = (
    await pool.query(`SELECT kind, encode(key, 'hex') AS key, team, owner FROM directory WHERE tenant = $1`, [tenant])
  ).rows;
  const aliases = (await pool.query('SELECT local, idp, from_ix::float8 FROM alias WHERE tenant = $1', [tenant])).rows;
  const tokens = (
    await pool.query(
      `SELECT t.agent, t.ix::float8, t.agent_ix::float8, t.facts #>> '{agent,type}' AS own, t.facts #>> '{id_jag,agent,type}' AS stated,
              j.facts #>> '{agent,type}' AS jag, j.ix::float8 AS jag_ix
       FROM token t LEFT JOIN id_jag j ON j.tenant = $1 AND t.id_jag_key IN (j.key, j.sha_key) WHERE t.tenant = $1 AND t.agent IS NOT NULL ORDER BY t.ix DESC`,
      [tenant],
    )
  ).rows;

  const text = (id: number | null): string | null => (id === null ? null : entities.get(id)!.parts[0]!);

  function listed(id: number | null, asOf: number, column: 'team' | 'owner'): string | null {
    if (id === null) return null;
    const own = (one: number): string | null => {
      const entity = entities.get(one)!;
      return directory.find((row) => row.kind === entity.kind && row.key === entity.key)?.[column] ?? null;
    };
    const named = aliases.filter((row) => row.local === id && row.from_ix < asOf);
    return own(id) ?? (named.length === 1 ? own(named[0].idp) : null);
  }

  function agentType(agent: number | null, asOf: number): string | null {
    for (const row of tokens) {
      if (row.agent !== agent || row.ix >= asOf || (row.agent_ix ?? row.ix) >= asOf) continue;
      const type = row.own ?? row.stated ?? (row.jag_ix !== null && row.jag_ix < asOf ? row.jag : null);
      if (type !== null) return type;
    }
    return null;
  }

  const nameOf = (codes: Readonly<Record<string, number>>, code: number | null): string | null =>
    Object.keys(codes).find((name) => codes[name] === code) ?? null;
  const facts = (use: Use, asOf: number) => {
    const bound = use.bound_ix !== null && use.bound_ix < asOf;
    const agentFrom = use.agent_ix ?? use.bound_ix;
    return {
      usr: bound ? use.usr : null,
      client: bound ? use.client : null,
      agent: agentFrom !== null && agentFrom < asOf ? use.agent : null,
      res: bound || use.res_bound === null ? use.res : null,
    };
  };
  const iso = (seconds: number): string => new Date(seconds * 1_000).toISOString().replace('.000', '');

  /** The values of a use; several for scopes. */
  const dimensions: Readonly<Record<DimensionName, (use: Use, asOf: number) => string | number | null>> = {
    user: (use, asOf) => facts(use, asOf).usr,
    client: (use, asOf) => facts(use, asOf).client,
    agent: (use, asOf) => facts(use, asOf).agent,
    agent_type: (use, asOf) => agentType(facts(use, asOf).agent, asOf),
    resource: (use, asOf) => facts(use, asOf).res,
    source: (use) => use.source,
    operation: (use) => nameOf(OPERATIONS, use.op),
    outcome: (use) => nameOf(OUTCOMES, use.outcome),
    status: (use) => use.status,
    scope: () => null,
    route: (use) => text(use.route),
    address: (use) => text(use.addr),
    address_prefix: (use) => (use.addr === null ? null : `${text(use.addr)!.split('.').slice(0, 3).join('.')}.0/24`),
    hour: (use) => iso(use.at - (use.at % 3_600)),
    day: (use) => iso(use.at - (use.at % 86_400)),
    weekday: (use) =>
      ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'][
        new Date(use.at * 1_000).getUTCDay()
      ]!,
    hour_of_day: (use) => new Date(use.at * 1_000).getUTCHours(),
    team: (use, asOf) => listed(facts(use, asOf).usr, asOf, 'team'),
    owner: (use, asOf) =>
      listed(facts(use, asOf).agent, asOf, 'owner') ?? listed(facts(use, asOf).client, asOf, 'owner'),
    token: (use) => Buffer.from(use.tok, 'hex').toString('base64url'),
  };

  const valuesOf = (name: DimensionName, use: Use, asOf: number): readonly (string | number | null)[] =>
    name === 'scope' && use.scopes !== null && use.scopes.length > 0
      ? use.scopes.map((scope) => text(scope))
      : [dimensions[name](use, asOf)];

  const sum = (list: readonly Use[], of: (use: Use) => number | null): number =>
    list.reduce((all, use) => all + (of(use) ?? 0), 0);
  const different = (values: readonly unknown[]): number => new Set(values.filter((value) => value !== null)).size;
  const allowed = (list: readonly Use[]): Use[] => list.filter(({ outcome }) => outcome === OUTCOMES.allowed);
  const measures: Readonly<Record<MeasureName, (list: readonly Use[], asOf: number) => number | string | null>> = {
    calls: (list) => sum(list, ({ n }) => n),
    allowed: (list) => sum(allowed(list), ({ n }) => n),
    denied: (list) => sum(list, ({ n }) => n) - sum(allowed(list), ({ n }) => n),
    records: (list) => sum(allowed(list), ({ records }) => records),
    bytes: (list) => sum(allowed(list), ({ bytes }) => bytes),
    users: (list, asOf) => different(list.map((use) => facts(use, asOf).usr)),
    clients: (list, asOf) => different(list.map((use) => facts(use, asOf).client)),
    agents: (list, asOf) => different(list.map((use) => facts(use, asOf).agent)),
    addresses: (list) => different(list.map(({ addr }) => addr)),
    tokens: (list) => different(list.map(({ tok }) => tok)),
    first_use: (list) => (list.length === 0 ? null : iso(Math.min(...list.map(({ at }) => at)))),
    last_use: (list) => (list.length === 0 ? null : iso(Math.max(...list.map((use) => use.until_at)))),
  };

  /** Uses below the index, within the window, that a predicate over their values keeps. */
  const select = (
    asOf: number,
    { from, to }: { readonly from: number; readonly to: number },
    keeps: (values: (name: DimensionName) => readonly (string | number | null)[]) => boolean,
  ): Use[] =>
    uses.filter((use) => use.ix < asOf && use.at >= from && use.at < to && keeps((name) => valuesOf(name, use, asOf)));

  return {
    uses,
    entities,
    select,
    /** The name that a filter states for an entity. */
    nameOf: (id: number): string => entities.get(id)!.parts.at(-1)!,
    idsOf: (kind: keyof typeof ENTITY_KINDS): number[] =>
      [...entities].filter(([, entity]) => entity.kind === ENTITY_KINDS[kind]).map(([id]) => id),
    group(list: readonly Use[], by: readonly DimensionName[], asOf: number): ReadonlyMap<string, readonly Use[]> {
      const groups = new Map<string, Use[]>();
      for (const use of list) {
        let keys: (string | number | null)[][] = [[]];
        for (const name of by) keys = keys.flatMap((key) => valuesOf(name, use, asOf).map((value) => [...key, value]));
        for (const key of keys) {
          const written = JSON.stringify(key);
          groups.set(written, [...(groups.get(written) ?? []), use]);
        }
      }
      if (by.length === 0 && groups.size === 0) groups.set('[]', []);
      return groups;
    },
    measure: (name: MeasureName, list: readonly Use[], asOf: number) => measures[name](list, asOf),
  };
}

/** A group of an answer, as the model writes it: entities by their ids. */
export function keyOfGroup(by: readonly DimensionName[], group: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(
    by.map((name) => {
      const value = group[name] as null | string | number | { entity?: number; id?: string };
      return typeof value === 'object' && value !== null ? (value.entity ?? value.id) : value;
    }),
  );
}
