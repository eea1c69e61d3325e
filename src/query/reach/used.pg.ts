import { byteaArray, int4Array, loadSql } from '../../platform/index.js';
import type { Snapshot } from '../snapshot.pg.js';
import type { Start } from './start.pg.js';
import type { ReachedToken } from './tokens.pg.js';

/** Uses that one answer adds up: the newest ones. */
const MAX_ROWS = 50_000;

const USED = loadSql(import.meta.url, 'used.sql');
const drivenBy = (ids: string, condition: string): string => USED.replace('{ids}', ids).replace('{driven}', condition);
const STATEMENTS = {
  user: drivenBy('$5::int[]', 'a.usr = d.id AND a.bound_ix < $2'), // access_usr
  client: drivenBy('$5::int[]', 'a.client = d.id AND a.bound_ix < $2'), // access_client
  agent: drivenBy('$5::int[]', 'a.agent = d.id AND coalesce(a.agent_ix, a.bound_ix) < $2'), // access_agent
  resource: drivenBy('$5::int[]', 'a.res = d.id AND a.bound_ix < $2'), // access_res
  token: drivenBy('$5::bytea[]', 'a.tok = d.id'), // access_tok
} as const;

export interface UsedRow {
  readonly [column: string]: unknown;
  readonly res: number | null;
  readonly op: number | null;
  readonly rows: string;
  readonly allowed: string;
  readonly denied: string;
  readonly records: string;
  readonly bytes: string;
  readonly first: string;
  readonly last: string;
}

export interface Used {
  readonly rows: readonly UsedRow[];
  readonly atLeast: boolean;
}

/** Of a user, client, agent or resource what is attributed to it; of a session, an ID-JAG or a token what its tokens did. */
export async function readUsed(snapshot: Snapshot, { kind, entities }: Start, tokens: readonly ReachedToken<unknown>[], since: number): Promise<Used> {
  const byTokens = kind === 'session' || kind === 'id_jag' || kind === 'token';
  const driving = byTokens ? byteaArray(tokens.map(({ key }) => key)) : int4Array(entities);
  const rows = await snapshot.rows<UsedRow>(STATEMENTS[byTokens ? 'token' : kind], [String(snapshot.index), since, MAX_ROWS, driving]);
  return { rows, atLeast: rows.reduce((sum, row) => sum + Number(row.rows), 0) >= MAX_ROWS };
}
