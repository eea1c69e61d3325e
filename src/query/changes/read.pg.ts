import { loadSql } from '../../platform/index.js';
import type { Snapshot } from '../snapshot.pg.js';
import { lineOfConnection, linesOfOnce, type Line, type OnceRow } from './lines.js';

const prepared = (name: string) => ({ name: `changes-${name}`, text: loadSql(import.meta.url, `${name}.sql`) });
const CONNECTIONS = prepared('connections');
const GRANTS = prepared('grants');
const GROWN = prepared('grown');
const USERS = prepared('users');
const ONCE = prepared('once');

/** Versions of grants, other than their first, that one answer walks. */
export const MAX_VERSIONS_WALKED = 20_000;

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
        changedIx: Number(row.changed_ix),
        turnedIx: Number(row.turned_ix),
      }) ?? [],
  );
}

export async function readOnceLines(between: Between): Promise<Line[]> {
  const rows = await between.until.rows<StoredOnce>(ONCE, bounds(between));
  return linesOfOnce(rows.map(({ what, client, res, name, id, ix, new_name }) => ({ what, client, res, name, id, ix: Number(ix), fresh: new_name ?? false })));
}

/** New and grown grants by pair, and the users that a client has its first grant of. */
export async function readGrantLines(between: Between): Promise<{ readonly lines: readonly Line[]; readonly cut: boolean }> {
  const appeared = await between.until.rows<GrantRow>(GRANTS, bounds(between));
  const walked = await between.until.rows<GrownRow>(GROWN, [...bounds(between), MAX_VERSIONS_WALKED]);
  const grown = walked.filter(({ client }) => client !== null) as readonly Grown[];
  const lineOf = (kind: 'grants-appeared' | 'grants-grew', { client, res, first_ix, last_ix, grants }: GrantRow, more: { readonly added?: readonly string[] }): Line => ({
    kind,
    client,
    res,
    first: first_ix,
    last: last_ix,
    what: { of: 'grants', grants, ...more },
  });
  const lines = [
    ...appeared.map((row) => lineOf('grants-appeared', row, {})),
    ...grown.map((row) => lineOf('grants-grew', row, { added: [...new Set(row.added.split(' '))].sort() })),
    // Users are counted by client, at whatever resource.
    ...(between.resources ? [] : await readUserLines(between, appeared)),
  ];
  return { lines, cut: walked[0]!.walked >= MAX_VERSIONS_WALKED };
}

async function readUserLines({ since, until, clients }: Between, appeared: readonly GrantRow[]): Promise<Line[]> {
  const spans = new Map<number, { first: number; last: number }>();
  for (const { client, first_ix: first, last_ix: last } of appeared) {
    const span = spans.get(client);
    spans.set(client, span ? { first: Math.min(first, span.first), last: Math.max(last, span.last) } : { first, last });
  }
  const granted = [...spans];
  const values = [String(since.index), String(until.index), granted.map(([client]) => client), granted.map(([, { first }]) => first), granted.map(([, { last }]) => last), clients];
  const rows = await until.rows<UsersRow>(USERS, values);
  return rows.map(({ client, users, first_ix, last_ix }) => ({ kind: 'users-appeared', client, res: null, first: first_ix, last: last_ix, what: { of: 'users', users } }));
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
  readonly grants: number;
  readonly first_ix: number;
  readonly last_ix: number;
}

interface Grown extends GrantRow {
  readonly added: string;
}

/** Where no grant grew, one row says how many versions were walked. */
type GrownRow = (Grown | { readonly [column: string]: unknown; readonly client: null }) & { readonly walked: number };

interface UsersRow {
  readonly [column: string]: unknown;
  readonly client: number;
  readonly users: number;
  readonly first_ix: number;
  readonly last_ix: number;
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
