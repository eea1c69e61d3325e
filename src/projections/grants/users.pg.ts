import type { PoolClient } from 'pg';
import { int4Array, int8Array, loadSql, uuidArray } from '../../platform/postgres/index.js';
import type { ProjectedEvent } from '../event.js';

/** An alias that is new in this batch: a client's or user's name at a RAS and its name at the IdP. */
export interface NewAlias {
  readonly tenant: string;
  readonly local: number;
  readonly idp: number;
}

const WRITE_USERS = loadSql(import.meta.url, 'write-users.sql');

export interface NewGrant {
  readonly tenant: string;
  readonly user: number;
  readonly client: number;
  readonly res: number;
  /** First index of a version. Several versions of one grant may be passed. */
  readonly ix: bigint;
}

/** Counts the users of each client under all its names, and the users of each issuer. Call it after grants and aliases are written. */
export async function writeClientUsers(
  client: PoolClient,
  events: readonly ProjectedEvent[],
  granted: readonly NewGrant[],
  tied: readonly NewAlias[],
): Promise<void> {
  if (granted.length + tied.length === 0) return;
  const begin = new Map<string, bigint>();
  for (const { tenant, ix } of events) {
    const lowest = begin.get(tenant);
    if (lowest === undefined || ix < lowest) begin.set(tenant, ix);
  }
  await client.query(WRITE_USERS, [
    uuidArray(granted.map(({ tenant }) => tenant)),
    int4Array(granted.map(({ user }) => user)),
    int4Array(granted.map((grant) => grant.client)),
    int8Array(granted.map(({ ix }) => ix)),
    uuidArray(tied.map(({ tenant }) => tenant)),
    int4Array(tied.map(({ local }) => local)),
    int4Array(tied.map(({ idp }) => idp)),
    uuidArray([...begin.keys()]),
    int8Array([...begin.values()]),
  ]);
}
