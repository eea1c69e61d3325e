import type { PoolClient } from 'pg';
import { int4Array, int8Array, loadSql, uuidArray } from '../../platform/postgres/index.js';
import { BLOCK_BITS } from './blocks.js';

/** Stored numbers: never change one. */
export const OPERATIONS = { read: 1, write: 2, delete: 3, export: 4, admin: 5 } as const;
export const OUTCOMES = { allowed: 1, denied: 2 } as const;

/** Columns of every sum. The allowed uses by operation follow `allowed` in the order of {@link OPERATIONS}. */
const SUMS = ['n', 'allowed', 'reads', 'writes', 'deletes', 'exports', 'admins', 'records', 'bytes'] as const;
const [N, ALLOWED, RECORDS, BYTES] = [0, 1, 7, 8] as const;

const WRITE_SUMS = loadSql(import.meta.url, 'write-sums.sql')
  .replaceAll('{sums}', SUMS.join(', '))
  .replaceAll('{summed}', SUMS.map((sum) => `capped(sum(${sum}))`).join(', '))
  .replaceAll('{added}', SUMS.map((sum) => `capped(u.${sum}::numeric + excluded.${sum})`).join(', '));
const WRITE_FIRSTS = loadSql(import.meta.url, 'write-firsts.sql');

const BLOCK = 2 ** Number(BLOCK_BITS);
const HOUR_S = 3_600;

/** Whom uses belong to. */
export interface Attribution {
  readonly tenant: string;
  readonly source: string;
  readonly usr: number | null;
  readonly client: number;
  readonly agent: number | null;
  readonly res: number | null;
}

/** A use, or a summary of many. Times are epoch seconds. */
export interface CountedUse {
  /** Index at which the use was attributed. */
  readonly boundIx: number;
  /** Index at which the agent became known, if that was later. */
  readonly agentIx: number | null;
  readonly at: number;
  readonly until: number;
  readonly scopes: readonly number[];
  readonly op: number;
  readonly outcome: number;
  readonly n: number;
  readonly records?: number | null | undefined;
  readonly bytes?: number | null | undefined;
}

/** An attribution with what its uses of a batch show first. */
export interface Account extends Attribution {
  /** The first index at which each scope was used. */
  readonly firsts: Map<number, number>;
  /** The first index at which the agent acted. */
  agentFrom: number;
}

interface Row {
  readonly tenant: string;
  readonly source: string;
  readonly blk: number;
  /** The largest number of each use, added up: no sum of the row is larger. */
  most: number;
}

interface SumRow extends Row {
  readonly hour: number;
  readonly client: number;
  readonly res: number | null;
  /** In the order of {@link SUMS}. */
  readonly sums: number[];
  firstAt: number;
  lastAt: number;
  firstAllowed: number | undefined;
  lastAllowed: number | undefined;
  firstIx: number;
}

/** Keeps a row for each key. A sum that would leave the safe integers goes on in another row: the statement adds them up exactly. */
function createRows<R extends Row>() {
  const rows: R[] = [];
  const open = new Map<string, R>();
  return {
    rows,
    row(key: string, most: number, make: () => R): R {
      let row = open.get(key);
      if (row === undefined || row.most + most > Number.MAX_SAFE_INTEGER) {
        rows.push((row = make()));
        open.set(key, row);
      }
      row.most += most;
      return row;
    },
  };
}

export type UseSums = ReturnType<typeof createUseSums>;

/** Adds up the uses of a batch, so that the database adds few rows to its own sums. */
export function createUseSums() {
  const accounts: Account[] = [];
  const sums = createRows<SumRow>();
  const came = createRows<Row>();

  function count({ tenant, source, client, res }: Account, use: CountedUse): void {
    const { boundIx, at, until, op, n, records, bytes } = use;
    const [blk, hour] = [Math.floor(boundIx / BLOCK), Math.floor(at / HOUR_S)];
    const most = Math.max(n, records ?? 0, bytes ?? 0);
    const row = sums.row(`${source}|${client}|${res}|${hour}|${blk}|${tenant}`, most, () => ({
      tenant,
      source,
      client,
      res,
      blk,
      hour,
      sums: SUMS.map(() => 0),
      most: 0,
      firstAt: at,
      lastAt: until,
      firstAllowed: undefined,
      lastAllowed: undefined,
      firstIx: boundIx,
    }));
    row.sums[N]! += n;
    row.firstAt = Math.min(row.firstAt, at);
    row.lastAt = Math.max(row.lastAt, until);
    row.firstIx = Math.min(row.firstIx, boundIx);
    if (use.outcome !== OUTCOMES.allowed) return;
    row.sums[ALLOWED]! += n;
    row.sums[ALLOWED + op]! += n;
    row.sums[RECORDS]! += records ?? 0;
    row.sums[BYTES]! += bytes ?? 0;
    row.firstAllowed = Math.min(row.firstAllowed ?? at, at);
    row.lastAllowed = Math.max(row.lastAllowed ?? until, until);
  }

  return {
    open(attribution: Attribution): Account {
      const { tenant, source, usr, client, agent, res } = attribution;
      const account = { tenant, source, usr, client, agent, res, firsts: new Map(), agentFrom: Infinity };
      accounts.push(account);
      return account;
    },
    /** Adds a use. One that is not fresh was added by an earlier batch, and only its agent is new. */
    add(account: Account, use: CountedUse, fresh = true): void {
      const { boundIx, agentIx, scopes, outcome } = use;
      if (fresh) count(account, use);
      if (outcome !== OUTCOMES.allowed) return;
      account.agentFrom = Math.min(account.agentFrom, agentIx ?? boundIx);
      if (!fresh) return;
      for (const scope of scopes) account.firsts.set(scope, Math.min(account.firsts.get(scope) ?? boundIx, boundIx));
    },
    /** Counts a use for the source that reported it, whether or not it is attributed. */
    came(tenant: string, source: string, ix: number, n: number): void {
      const blk = Math.floor(ix / BLOCK);
      came.row(`${source}|${blk}|${tenant}`, n, () => ({ tenant, source, blk, most: 0 }));
    },
    async write(client: PoolClient): Promise<void> {
      if (sums.rows.length + came.rows.length > 0)
        await client.query(WRITE_SUMS, [...sumColumns(sums.rows), ...cameColumns(came.rows)]);
      const paired = accounts.filter(({ res }) => res !== null);
      if (paired.length > 0) await client.query(WRITE_FIRSTS, [...scopeColumns(paired), ...agentColumns(paired)]);
    },
  };
}

const sumColumns = (rows: readonly SumRow[]): Buffer[] => [
  uuidArray(rows.map(({ tenant }) => tenant)),
  uuidArray(rows.map(({ source }) => source)),
  int4Array(rows.map(({ blk }) => blk)),
  int4Array(rows.map(({ hour }) => hour)),
  int4Array(rows.map(({ client }) => client)),
  int4Array(rows.map(({ res }) => res)),
  ...SUMS.map((_, nth) => int8Array(rows.map((row) => row.sums[nth]))),
  int8Array(rows.map(({ firstAt }) => firstAt)),
  int8Array(rows.map(({ lastAt }) => lastAt)),
  int8Array(rows.map(({ firstAllowed }) => firstAllowed)),
  int8Array(rows.map(({ lastAllowed }) => lastAllowed)),
  int8Array(rows.map(({ firstIx }) => firstIx)),
];

const cameColumns = (rows: readonly Row[]): Buffer[] => [
  uuidArray(rows.map(({ tenant }) => tenant)),
  uuidArray(rows.map(({ source }) => source)),
  int4Array(rows.map(({ blk }) => blk)),
  int8Array(rows.map(({ most }) => most)),
];

function scopeColumns(accounts: readonly Account[]): Buffer[] {
  const used = accounts.flatMap((account) => [...account.firsts].map(([scope, ix]) => ({ account, scope, ix })));
  return [
    uuidArray(used.map(({ account }) => account.tenant)),
    int4Array(used.map(({ account }) => account.usr)),
    int4Array(used.map(({ account }) => account.client)),
    int4Array(used.map(({ account }) => account.res)),
    int4Array(used.map(({ scope }) => scope)),
    int8Array(used.map(({ ix }) => ix)),
  ];
}

function agentColumns(accounts: readonly Account[]): Buffer[] {
  const acted = accounts.filter(({ agent, agentFrom }) => agent !== null && agentFrom < Infinity);
  return [
    uuidArray(acted.map(({ tenant }) => tenant)),
    int4Array(acted.map(({ client }) => client)),
    int4Array(acted.map(({ res }) => res)),
    int4Array(acted.map(({ agent }) => agent)),
    int8Array(acted.map(({ agentFrom }) => agentFrom)),
  ];
}
