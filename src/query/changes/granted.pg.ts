import { loadSql } from '../../platform/postgres/index.js';
import { MAX_PAIRS } from '../graph/edges.pg.js';
import type { Fact, KnownEdges } from '../graph/known-edges.js';
import type { FollowPairs } from '../graph/pairs.pg.js';
import type { Prepared } from '../../projections/index.js';
import type { Between } from './read.pg.js';

const GRANTS = { name: 'changes-grants', text: loadSql(import.meta.url, 'grants.sql') };
const GRANTS_BETWEEN = { name: 'changes-grants-between', text: loadSql(import.meta.url, 'grants-between.sql') };
const TIES = { name: 'changes-ties', text: loadSql(import.meta.url, 'ties.sql') };

/**
 * Entries per pair between two moments up to which new grants are read one by one. Beyond it, two look-ups a pair cost
 * less.
 */
const NEAR_ENTRIES_A_PAIR = 250;

/** A pair's new grants between two moments. */
export interface NewGrants {
  readonly client: number;
  readonly res: number;
  readonly grants: number;
  readonly first: number;
  readonly last: number;
}

/** Clients that may have gained users, with the first and the last entry that may have brought one. */
export type Spans = ReadonlyMap<number, { readonly first: number; readonly last: number }>;

export interface Granted {
  readonly appeared: readonly NewGrants[];
  readonly gained: Spans;
}

/** Reads new grants by pair, and the clients that may have gained users with them. */
export async function readGranted(between: Between, follow: FollowPairs): Promise<Granted> {
  const { since, until, resources } = between;
  const known = (await follow.edges(until))?.known;
  const isNear = Number(until.index - since.index) <= NEAR_ENTRIES_A_PAIR * (known?.edges.size ?? MAX_PAIRS);
  const appeared = await readGrants(between, isNear ? GRANTS_BETWEEN : GRANTS);
  // Users are counted by client over all resources, so a resource filter leaves nothing to tell.
  if (resources) return { appeared, gained: new Map() };
  return {
    appeared,
    gained: spansOf(appeared, known ? tiesOf(known, Number(until.index)) : await readTies(between), between),
  };
}

async function readGrants({ since, until, clients, resources }: Between, statement: Prepared): Promise<NewGrants[]> {
  const rows = await until.rows<GrantRow>(statement, [String(since.index), String(until.index), clients, resources]);
  return rows.map(({ client, res, grants, first_ix: first, last_ix: last }) => ({ client, res, grants, first, last }));
}

/** Clients' names at the IdP, in the order in which events tied them. */
type Ties = ReadonlyMap<number, readonly Fact<number>[]>;

/**
 * Edges are enough to know all ties: an event that ties a client also gives it a grant, so that the client has been
 * seen with a resource.
 */
const tiesOf = ({ ties }: KnownEdges, index: number): Ties =>
  new Map([...ties].map(([client, facts]) => [client, facts.filter(({ ix }) => ix < index)]));

async function readTies({ until }: Between): Promise<Ties> {
  const ties = new Map<number, Fact<number>[]>();
  for (const { local, idp, from_ix } of await until.rows<TieRow>(TIES, [String(until.index)]))
    ties.set(local, [...(ties.get(local) ?? []), { what: idp, ix: Number(from_ix) }]);
  return ties;
}

/**
 * Finds when each client may have gained users. A grant adds a user to a client, and so does the event that ties the
 * client to an IdP name.
 */
function spansOf(appeared: readonly NewGrants[], ties: Ties, { since, clients }: Between): Spans {
  const spans = new Map<number, { first: number; last: number }>();
  const add = (client: number, first: number, last: number): void => {
    const span = spans.get(client);
    if (span === undefined) spans.set(client, { first, last });
    else {
      span.first = Math.min(span.first, first);
      span.last = Math.max(span.last, last);
    }
  };
  // A client is shown under the name that was tied to it first.
  for (const { client, first, last } of appeared) add(ties.get(client)?.[0]?.what ?? client, first, last);
  for (const [client, facts] of ties) {
    for (const { what: idp, ix } of facts) {
      if (ix >= Number(since.index) && (!clients || clients.includes(idp) || clients.includes(client)))
        add(idp, ix, ix);
    }
  }
  return spans;
}

interface GrantRow {
  readonly [column: string]: unknown;
  readonly client: number;
  readonly res: number;
  readonly grants: number;
  readonly first_ix: number;
  readonly last_ix: number;
}

interface TieRow {
  readonly [column: string]: unknown;
  readonly local: number;
  readonly idp: number;
  readonly from_ix: string;
}
