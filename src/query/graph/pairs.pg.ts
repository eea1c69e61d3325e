import { RescindError } from '../../contracts/index.js';
import { loadSql } from '../../platform/index.js';
import { readEdgeUses } from '../../projections/index.js';
import type { Window } from '../parameters.js';
import type { Snapshot } from '../snapshot.pg.js';
import { boundsOf } from '../usage.js';
import { joinUse, NO_USE, type Pair, type PairDetails, type PairsDetails, type PairState, type PairUse } from './pairs.js';
import { readRawUses, type RawUses } from './raw-uses.pg.js';

const PAIRS = loadSql(import.meta.url, 'pairs.sql');
const PAIR_DETAILS = loadSql(import.meta.url, 'pair-details.sql');
const USER_PAIRS = loadSql(import.meta.url, 'user-pairs.sql');
const USER_SCOPES = loadSql(import.meta.url, 'user-scopes.sql');
const CLIENTS_OF_AGENTS = `SELECT client FROM edge_agent_granted WHERE tenant = $1 AND agent = ANY ($2::int[])
  UNION SELECT client FROM edge_agent_used WHERE tenant = $1 AND agent = ANY ($2)
  UNION SELECT client FROM connection_version WHERE tenant = $1 AND agent = ANY ($2)`;
const SHOWN_AS = `SELECT DISTINCT ON (local) local, idp FROM alias
  WHERE tenant = $1 AND from_ix < $2 AND local = ANY ($3::int[]) ORDER BY local, from_ix, idp`;

/** Pairs of client and resource that one answer is made from. Of more, what is left out could not be told. */
export const MAX_PAIRS = 20_000;
const STATES: Readonly<Record<number, PairState>> = { 1: 'deleted', 2: 'observed', 3: 'created' };

export interface PairFilter {
  readonly users?: readonly number[] | undefined;
  readonly clients?: readonly number[] | undefined;
  readonly agents?: readonly number[] | undefined;
  readonly resources?: readonly number[] | undefined;
}

interface Named {
  readonly client: number;
  readonly res: number;
}

export interface ReadPairs {
  readonly pairs: readonly Pair[];
  /** Asked for what is shown alone, it costs what is shown. */
  readonly detailsOf: (shown: readonly Named[]) => Promise<PairsDetails>;
}

/**
 * All pairs that the filter leaves, with their counts, as of the snapshot. A client, an agent or a resource chooses pairs, and the counts
 * are those of the pair; of users they are their own. Without users and window all of it comes from aggregates.
 */
export async function readPairs(snapshot: Snapshot, filter: PairFilter, window: Window): Promise<ReadPairs> {
  const { resources, agents, users } = filter;
  if (users) return ofUsers(snapshot, { ...filter, users }, window);
  const clients = agents ? await clientsOf(snapshot, agents, filter.clients) : filter.clients;
  const rows = await readKnown(snapshot, clients, resources);
  const use = await readUses(snapshot, { clients, resources }, window);
  const pairs = rows.map((row) => pairOf(row, { grants: Number(row.grants ?? 0), use: use(row) }));
  return {
    pairs: agents ? pairs.filter((pair) => pair.agents.some((agent) => agents.includes(agent))) : pairs,
    detailsOf: (shown) => readDetails(snapshot, shown),
  };
}

async function readDetails(snapshot: Snapshot, shown: readonly Named[]): Promise<PairsDetails> {
  const rows = await snapshot.rows<DetailsRow>(PAIR_DETAILS, [String(snapshot.index), shown.map(({ client }) => client), shown.map(({ res }) => res)]);
  const details = new Map(
    rows.map((row): [string, PairDetails] => [
      keyOf(row),
      {
        state: row.standing === null ? 'unrecorded' : STATES[row.standing]!,
        approved: [...new Set(wordsOf(row.approved))].sort(),
        granted: wordsOf(row.granted).sort(),
        used: wordsOf(row.used).sort(),
      },
    ]),
  );
  return (pair) => details.get(keyOf(pair))!;
}

async function readKnown(snapshot: Snapshot, clients: readonly number[] | undefined, resources: readonly number[] | undefined): Promise<readonly PairRow[]> {
  const rows = await snapshot.rows<PairRow>(PAIRS, [String(snapshot.index), clients, resources, MAX_PAIRS + 1]);
  if (rows.length <= MAX_PAIRS) return rows;
  throw new RescindError('filter-too-wide', { detail: `over ${MAX_PAIRS} pairs of client and resource: name a client or a resource` });
}

/** Clients that agents may have acted as, of those that are asked for. */
async function clientsOf(snapshot: Snapshot, agents: readonly number[], clients: readonly number[] | undefined): Promise<readonly number[]> {
  const rows = await snapshot.rows<{ client: number }>(CLIENTS_OF_AGENTS, [agents]);
  return rows.map(({ client }) => client).filter((client) => !clients || clients.includes(client));
}

type UseOf = (pair: Named) => PairUse;

async function readUses(snapshot: Snapshot, { clients, resources }: PairFilter, window: Window): Promise<UseOf> {
  if (window.from === undefined && window.to === undefined) {
    const uses = new Map((await readEdgeUses(snapshot, { clients: clients ?? null, resources: resources ?? null })).map((use) => [keyOf(use), use]));
    return (pair) => {
      const use = uses.get(keyOf(pair));
      if (use === undefined) return NO_USE;
      const { n: accesses, allowed, firstAt: first, lastAt: last, firstAllowed: firstUsed, lastAllowed: lastUsed } = use;
      return { accesses, allowed, first, last, firstUsed, lastUsed, cut: false };
    };
  }
  const [from, to] = boundsOf(window);
  return sumUses(await readRawUses(snapshot, { clients, resources, from, to }));
}

async function ofUsers(snapshot: Snapshot, filter: PairFilter & { readonly users: readonly number[] }, window: Window): Promise<ReadPairs> {
  const { users, clients, agents, resources } = filter;
  const held = await snapshot.rows<HeldRow>(USER_PAIRS, [String(snapshot.index), users, clients, agents, resources]);
  const scopes = await snapshot.rows<ScopesRow>(USER_SCOPES, [String(snapshot.index), users]);
  const [from, to] = boundsOf(window);
  const raw = await readRawUses(snapshot, { users, clients, resources, agents, from, to });
  const heldBy = new Map(held.map((row) => [keyOf(row), row]));
  const usedBy = new Map(scopes.map((row) => [keyOf(row), row.used]));
  const use = sumUses(raw);
  const acting = new Map<string, readonly number[]>();
  for (const one of raw.uses) acting.set(keyOf(one), [...(acting.get(keyOf(one)) ?? []), ...one.agents]);
  const met = [...held, ...raw.uses];
  const rows = await readKnown(snapshot, unique(met.map(({ client }) => client)), unique(met.map(({ res }) => res)));
  const pairs = rows
    .filter((row) => heldBy.has(keyOf(row)) || acting.has(keyOf(row)))
    .map((row) => {
      const grant = heldBy.get(keyOf(row));
      const own = [...(grant?.agents ?? []), ...(acting.get(keyOf(row)) ?? [])].join(' ');
      return pairOf({ ...row, agents: own === '' ? null : own }, { grants: Number(grant?.grants ?? 0), use: use(row) });
    });
  return {
    pairs,
    async detailsOf(shown) {
      const details = await readDetails(snapshot, shown);
      return (pair) => ({
        ...details(pair),
        granted: [...(heldBy.get(keyOf(pair))?.granted ?? [])].sort(),
        used: [...(usedBy.get(keyOf(pair)) ?? [])].sort(),
      });
    },
  };
}

function sumUses({ uses, isCut }: RawUses): UseOf {
  const sums = new Map<string, PairUse>();
  for (const use of uses) sums.set(keyOf(use), joinUse(sums.get(keyOf(use)) ?? NO_USE, use));
  return (pair) => ({ ...(sums.get(keyOf(pair)) ?? NO_USE), cut: isCut(pair) });
}

/** Clients by the name under which they are shown: the IdP's that an event has tied to the RAS's first. */
export async function readShownAs(snapshot: Snapshot, clients: Iterable<number>): Promise<ReadonlyMap<number, number>> {
  const rows = await snapshot.rows<{ local: number; idp: number }>(SHOWN_AS, [String(snapshot.index), [...new Set(clients)]]);
  return new Map(rows.map(({ local, idp }) => [local, idp]));
}

const keyOf = ({ client, res }: Named): string => `${client} ${res}`;
const unique = (ids: readonly number[]): readonly number[] => [...new Set(ids)];
const wordsOf = (text: string | null): string[] => (text === null ? [] : text.split(' '));
const idsOf = (text: string | null): number[] => wordsOf(text).map(Number);

const pairOf = (row: PairRow, counted: Pick<Pair, 'grants' | 'use'>): Pair => ({
  client: row.client,
  res: row.res,
  shownAs: row.shown_as ?? row.client,
  firstIx: BigInt(row.first_ix),
  ...counted,
  agents: [...new Set([...idsOf(row.agents), ...idsOf(row.connection_agents)])],
});

interface PairRow {
  readonly [column: string]: unknown;
  readonly client: number;
  readonly res: number;
  readonly first_ix: string;
  readonly agents: string | null;
  readonly connection_agents: string | null;
  readonly grants: string | null;
  readonly shown_as: number | null;
}

interface DetailsRow {
  readonly [column: string]: unknown;
  readonly client: number;
  readonly res: number;
  readonly standing: number | null;
  readonly approved: string | null;
  readonly granted: string | null;
  readonly used: string | null;
}

interface HeldRow {
  readonly [column: string]: unknown;
  readonly client: number;
  readonly res: number;
  readonly grants: string;
  readonly agents: readonly number[];
  readonly granted: readonly string[];
}

interface ScopesRow {
  readonly [column: string]: unknown;
  readonly client: number;
  readonly res: number;
  readonly used: readonly string[];
}
