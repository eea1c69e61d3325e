import { LRUCache } from 'lru-cache';
import { RescindError, secondsOf, timeText } from '../../contracts/index.js';
import { int4Array, loadSql } from '../../platform/postgres/index.js';
import { COUNT_ARRIVED, COUNTING_TIMEOUT_MS, ENTITY_KINDS, type Ask, type Snapshot } from '../../projections/index.js';
import { asOfOf } from '../ask/as-of.js';
import type { FilterKind } from '../ask/entity-kinds.js';
import { createFollowed, type Follow } from '../ask/followed.js';
import { orNull, readNames, resolveFilter } from '../ask/names.pg.js';
import { readPageAsOf } from '../ask/page.js';
import { FILTER_PARAMETERS, invalid, readParameters, type Parameters } from '../ask/parameters.js';
import type { Reader } from '../ask/reader.js';
import { readTimeAsked } from '../ask/window.js';
import type { FollowPairs } from '../graph/pairs.pg.js';
import type { EntityPages } from './answers.js';
import { learnFacts, NO_FACTS, type FactRow, type KnownFacts } from './facts.js';
import { createFollowUsed, readLastUses, readUsed } from './last-uses.pg.js';
import { reachedBy, SORTS, sortStanding, standingOf, type Facts, type Sort, type Standing } from './standing.js';

const FACTS = { name: 'entity-facts', text: loadSql(import.meta.url, 'facts.sql') };
const MATCHING = loadSql(import.meta.url, 'matching.sql');
const DETAILS = { name: 'entity-details', text: loadSql(import.meta.url, 'details.sql') };
const COUNT = 'SELECT count(*) AS grants FROM (SELECT FROM grant_version WHERE tenant = $1 LIMIT $2) g';

/** Versions of grants that one answer is made from. */
export const MAX_GRANTS = 500_000;
/** Names and grants that a process remembers, over all tenants: about 300 bytes each. */
const MAX_REMEMBERED = 1_000_000;

export const entitiesParameters = <K extends FilterKind>(kind: K) =>
  [...FILTER_PARAMETERS[kind], 'as_of', 'limit', 'cursor'] as const;
/** Parameters that only these questions have; the controller documents them. */
export const SORT_NAMES = Object.keys(SORTS) as readonly Sort[];
export const ORDERS = ['desc', 'asc'] as const;
export const OWNERS = ['missing', 'present'] as const;
const OWN_PARAMETERS = ['q', 'sort', 'order', 'owner', 'new_since'];

export type EntityQuestions = {
  readonly [K in FilterKind]: (tenant: string, query: unknown) => Promise<EntityPages[K]>;
};

/** Lists all users, clients, agents or resources with the numbers of their standing grants. */
export function createEntityLists({
  ask,
  reader,
  follow,
}: {
  readonly ask: Ask;
  readonly reader: Reader;
  readonly follow: FollowPairs;
}): EntityQuestions {
  const followFacts = createFollowFacts();
  const followUsed = createFollowUsed();
  const remembered = new LRUCache<string, readonly Standing[]>({
    maxSize: MAX_REMEMBERED,
    sizeCalculation: ({ length }) => 1 + length,
  });
  const readStanding = async (snapshot: Snapshot, facts: Facts, kind: FilterKind): Promise<readonly Standing[]> => {
    // Nothing that these numbers come from changes below an index.
    const key = `${snapshot.tenant} ${snapshot.tables} ${snapshot.index} ${kind}`;
    const known = remembered.get(key);
    if (known !== undefined) return known;
    const used = await readUsed(followUsed, snapshot);
    const all = standingOf(facts, kind, { used, lasts: await readLastUses(snapshot, follow, facts, kind, used) });
    remembered.set(key, all);
    return all;
  };
  const list =
    <K extends FilterKind>(kind: K) =>
    (tenant: string, query: unknown): Promise<EntityPages[K]> => {
      const parameters = readParameters(query, [...entitiesParameters(kind), ...OWN_PARAMETERS]);
      const tenantKey = reader.tenantKey(tenant);
      const sort = readOne(parameters, 'sort', SORT_NAMES) ?? 'grants';
      const ascending = readOne(parameters, 'order', ORDERS) === 'asc';
      const filter = readFilter(parameters);
      const page = readPageAsOf(`${kind}s`, tenantKey, parameters);
      const after = page.after && { key: Number(page.after[0]), id: Number(page.after[1]) };
      return ask(
        tenant,
        async (snapshot) => {
          const facts: Facts = { known: await readFacts(followFacts, snapshot), index: Number(snapshot.index) };
          const all = await readStanding(snapshot, facts, kind);
          const named = await resolveFilter(snapshot, tenantKey, parameters, kind);
          const isWanted = await readWanted(snapshot, kind, filter);
          const wanted = all.filter((one) => (named?.includes(one.id) ?? true) && isWanted(one));
          const rows = sortStanding(wanted, {
            sort,
            ascending,
            after,
            most: page.limit + 1,
          });
          const { shown, next } = page.cut(snapshot, rows, (one) => [String(SORTS[sort](one)), String(one.id)]);
          return { as_of: asOfOf(snapshot), items: await describe(snapshot, facts, kind, shown), ...next };
        },
        page.asked,
        // The first question after a start reads all names and grants.
        { timeoutMs: COUNTING_TIMEOUT_MS },
      ) as Promise<EntityPages[K]>;
    };
  return { user: list('user'), client: list('client'), agent: list('agent'), resource: list('resource') };
}

/** Follows names, ties and grants. Undefined if there are over {@link MAX_GRANTS}. */
const createFollowFacts = (): Follow<KnownFacts> =>
  createFollowed<KnownFacts>({
    none: NO_FACTS,
    sizeOf: ({ entities, grants }) =>
      grants.size + Object.values(entities).reduce((sum, { length }) => sum + length, 0),
    maxSize: MAX_REMEMBERED,
    async learn(known, snapshot, from, index) {
      if (from === 0) {
        const [row] = await snapshot.rows<{ grants: string }>(COUNT, [MAX_GRANTS + 1]);
        if (Number(row!.grants) > MAX_GRANTS) return undefined;
      }
      return learnFacts(known, await snapshot.rows<FactRow>(FACTS, [String(from), String(index)]));
    },
  });

async function readFacts(follow: Follow<KnownFacts>, snapshot: Snapshot): Promise<KnownFacts> {
  const followed = await follow(snapshot);
  if (followed === undefined)
    throw new RescindError('filter-too-wide', {
      detail: `over ${MAX_GRANTS} grants: ask /v1/grants about one of their entities`,
    });
  return followed.known;
}

interface Filter {
  readonly pattern: string | null;
  readonly hasOwner: boolean | null;
  readonly newSince: ReturnType<typeof readTimeAsked>;
}

function readFilter(parameters: Parameters): Filter {
  const text = parameters.get('q')?.trim();
  if (text === '') throw invalid('`q` is empty');
  const owner = readOne(parameters, 'owner', OWNERS);
  return {
    pattern: text === undefined ? null : `%${text.toLowerCase().replaceAll(/[\\%_]/g, '\\$&')}%`,
    hasOwner: owner === undefined ? null : owner === 'present',
    newSince: readTimeAsked(parameters, 'new_since'),
  };
}

/** Reads the condition of the filter. */
async function readWanted(
  snapshot: Snapshot,
  kind: FilterKind,
  { pattern, hasOwner, newSince }: Filter,
): Promise<(one: Standing) => boolean> {
  const index = String(snapshot.index);
  const matching =
    pattern === null && hasOwner === null
      ? undefined
      : new Set(
          (await snapshot.rows<{ id: number }>(MATCHING, [index, ENTITY_KINDS[kind], pattern, hasOwner])).map(
            ({ id }) => id,
          ),
        );
  const from = newSince && (await indexAt(snapshot, secondsOf('new_since', newSince, snapshot.at)));
  return ({ id, firstIx }) => (matching?.has(id) ?? true) && firstIx >= (from ?? 0);
}

/** Returns the index of the first entry that arrived at a time or later. */
async function indexAt(snapshot: Snapshot, seconds: number): Promise<number> {
  const [row] = await snapshot.rows<{ index: string }>(COUNT_ARRIVED, [
    String(seconds * 1_000 - 1),
    String(snapshot.index),
  ]);
  return Number(row!.index);
}

async function describe(snapshot: Snapshot, facts: Facts, kind: FilterKind, shown: readonly Standing[]) {
  const ids = shown.map(({ id }) => id);
  const names = await readNames(snapshot, ids);
  const rows = await snapshot.rows<DetailsRow>(DETAILS, [int4Array(ids)]);
  const details = new Map(rows.map((row) => [row.id, row]));
  const reached = reachedBy(facts, kind, new Set(ids));
  return shown.map(({ id, grants, unused, last }) => {
    const { from_ix, arrival, owner, team, tags } = details.get(id)!;
    const { [`${kind}s` as const]: _self, ...others } = reached(id);
    return {
      [kind]: names[kind](id),
      ...others,
      grants,
      unused_grants: unused,
      last_used: orNull(last, timeText),
      first_seen: { index: from_ix, at: timeText(Math.floor(Number(arrival) / 1000)) },
      owner,
      team,
      tags,
    };
  });
}

interface DetailsRow {
  readonly [column: string]: unknown;
  readonly id: number;
  readonly from_ix: string;
  readonly arrival: string;
  readonly owner: string | null;
  readonly team: string | null;
  readonly tags: readonly string[];
}

function readOne<T extends string>(parameters: Parameters, name: string, values: readonly T[]): T | undefined {
  const text = parameters.get(name);
  if (text === undefined) return undefined;
  const value = values.find((one) => one === text);
  if (value === undefined) throw invalid(`\`${name}\` is one of ${values.join(', ')}`);
  return value;
}
