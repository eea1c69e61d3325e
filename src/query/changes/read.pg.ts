import { loadSql } from '../../platform/index.js';
import { readShownAs } from '../graph/pairs.pg.js';
import type { Snapshot } from '../snapshot.pg.js';
import { lineOfConnection, linesOfOnce, type Line, type OnceRow } from './lines.js';

const CONNECTIONS = loadSql(import.meta.url, 'connections.sql');
const GRANTS = loadSql(import.meta.url, 'grants.sql');
const GROWN = loadSql(import.meta.url, 'grown.sql');
const USERS = loadSql(import.meta.url, 'users.sql');
const ONCE = loadSql(import.meta.url, 'once.sql');
const TIED = loadSql(import.meta.url, 'tied.sql');

/** Versions of grants, other than their first, that one answer walks. */
export const MAX_VERSIONS_WALKED = 100_000;

export interface Between {
  readonly since: Snapshot;
  readonly until: Snapshot;
  readonly clients: readonly number[] | undefined;
  readonly resources: readonly number[] | undefined;
}

const bounds = ({ since, until, clients, resources }: Between) => [String(since.index), String(until.index), clients, resources];

export async function readConnectionLines(between: Between): Promise<Line[]> {
  const rows = await between.until.rows<ConnectionRow>(CONNECTIONS, bounds(between));
  return rows.flatMap(
    (row) =>
      lineOfConnection({
        id: row.id.toString('base64url'),
        client: row.client,
        idpClient: row.idp_client,
        res: row.res,
        before: row.state_before,
        after: row.state_after,
        agentBefore: row.agent_before,
        agentAfter: row.agent_after,
        scopesBefore: row.scopes_before,
        scopesAfter: row.scopes_after,
        changedIx: BigInt(row.changed_ix),
        turnedIx: BigInt(row.turned_ix),
      }) ?? [],
  );
}

export async function readOnceLines(between: Between): Promise<Line[]> {
  const rows = await between.until.rows<StoredOnce>(ONCE, bounds(between));
  return linesOfOnce(rows.map(({ what, client, res, name, id, ix, new_name }) => ({ what, client, res, name, id, ix: BigInt(ix), fresh: new_name ?? false })));
}

/** New and grown grants by pair, and the users that a client has its first grant of. */
export async function readGrantLines(between: Between): Promise<{ readonly lines: readonly Line[]; readonly cut: boolean }> {
  const fresh = await between.until.rows<GrantRow>(GRANTS, bounds(between));
  const grown = await between.until.rows<GrownRow>(GROWN, [...bounds(between), MAX_VERSIONS_WALKED]);
  const lineOf = (kind: 'grants-appeared' | 'grants-grew', row: GrantRow, more: { readonly added?: readonly string[] }): Line => ({
    kind,
    client: row.client,
    res: row.res,
    first: BigInt(row.first_ix),
    last: BigInt(row.last_ix),
    what: { of: 'grants', grants: Number(row.grants), ...more },
  });
  const appeared = fresh.map((row) => lineOf('grants-appeared', row, {}));
  const grew = grown.map((row) => lineOf('grants-grew', row, { added: [...new Set(row.added.split(' '))].sort() }));
  const users = between.resources ? [] : await readUserLines(between, appeared);
  return { lines: [...appeared, ...grew, ...users], cut: Number(grown[0]?.walked ?? 0) >= MAX_VERSIONS_WALKED };
}

/** A user becomes a client's with a grant, and with the event that says under which name of the client it was given. */
async function readUserLines({ since, until, clients }: Between, appeared: readonly Line[]): Promise<Line[]> {
  const shownAs = await readShownAs(until, appeared.map(({ client }) => client));
  const spans = new Map<number, { first: bigint; last: bigint }>();
  const stretch = (client: number, first: bigint, last: bigint): void => {
    const span = spans.get(client) ?? { first, last };
    spans.set(client, { first: first < span.first ? first : span.first, last: last > span.last ? last : span.last });
  };
  for (const { client, first, last } of appeared) stretch(shownAs.get(client) ?? client, first, last);
  const tied = await until.rows<{ client: number; first_ix: string; last_ix: string }>(TIED, [String(since.index), String(until.index), clients]);
  for (const { client, first_ix, last_ix } of tied) stretch(client, BigInt(first_ix), BigInt(last_ix));
  const rows = await until.rows<{ client: number; users: string }>(USERS, [String(since.index), String(until.index), [...spans.keys()]]);
  return rows.map(({ client, users }) => ({ kind: 'users-appeared', client, res: null, ...spans.get(client)!, what: { of: 'users', users: Number(users) } }));
}

interface ConnectionRow {
  readonly [column: string]: unknown;
  readonly id: Buffer;
  readonly client: number;
  readonly idp_client: number;
  readonly res: number;
  readonly state_before: 0 | 1 | 2 | null;
  readonly state_after: 0 | 1 | 2;
  readonly agent_before: number | null;
  readonly agent_after: number | null;
  readonly scopes_before: string[];
  readonly scopes_after: string[];
  readonly changed_ix: string;
  readonly turned_ix: string;
}

interface GrantRow {
  readonly [column: string]: unknown;
  readonly client: number;
  readonly res: number;
  readonly grants: string;
  readonly first_ix: string;
  readonly last_ix: string;
}

interface GrownRow extends GrantRow {
  readonly added: string;
  readonly walked: string;
}

interface StoredOnce {
  readonly [column: string]: unknown;
  readonly what: OnceRow['what'];
  readonly client: number;
  readonly res: number;
  readonly name: string | null;
  readonly id: number | null;
  readonly ix: string;
  readonly new_name: boolean | null;
}
