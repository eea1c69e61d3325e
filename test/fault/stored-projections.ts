import type { Pool } from 'pg';
import { CONNECTION_STATES, OPERATIONS, OUTCOMES } from '../../src/projections/index.js';
import type { Recount } from './recount.js';
import { readUses } from './recount-uses.js';

/** The projection tables in the shape of the recount: names in place of ids. */
export async function readProjections(pool: Pool, tenant: string): Promise<Recount> {
  const rows = async (sql: string): Promise<any[]> => (await pool.query(sql, [tenant])).rows;
  const entities = new Map(
    (await rows('SELECT id, parts FROM entity WHERE tenant = $1')).map(({ id, parts }) => [
      id as number,
      parts as (string | null)[],
    ]),
  );
  const name = (id: number | null): string => JSON.stringify(entities.get(id!));
  const orNull = (id: number | null): string | null => (id === null ? null : name(id));
  const word = (id: number): string => entities.get(id)![0]!;
  const wordOf = (words: Readonly<Record<string, number>>, stored: number): string =>
    Object.keys(words).find((one) => words[one] === stored)!;

  const tokens = await rows('SELECT *, facts AS f FROM token WHERE tenant = $1');
  const idJags = await rows('SELECT *, facts AS f FROM id_jag WHERE tenant = $1');
  const accesses = await rows('SELECT * FROM access WHERE tenant = $1 ORDER BY ix');
  const firstUse = await rows('SELECT * FROM first_use WHERE tenant = $1');
  const grants = await rows('SELECT * FROM grant_version WHERE tenant = $1');
  const connections = await rows('SELECT * FROM connection_version WHERE tenant = $1');
  return {
    tokens: Object.fromEntries(
      tokens.map((row) => [
        row.f.sha256 ?? row.f.signing_input_sha256 ?? `${row.f.iss}|${row.f.jti}`,
        {
          ix: row.ix,
          user: orNull(row.usr),
          boundIx: row.bound_ix,
          client: name(row.client),
          agent: orNull(row.agent),
          agentIx: row.agent === null ? null : (row.agent_ix ?? row.ix),
          resources: row.res.map(name),
          contradictedAt: row.conflict_ix,
        },
      ]),
    ),
    idJags: Object.fromEntries(
      idJags.map((row) => [
        `${row.f.iss}|${row.f.jti}`,
        {
          ix: row.ix,
          user: name(row.usr),
          client: name(row.client),
          idpClient: name(row.idp_client),
          agent: orNull(row.agent),
          contradictedAt: row.conflict_ix,
        },
      ]),
    ),
    accesses: Object.fromEntries(
      accesses.map((row) => [
        row.ix,
        {
          source: row.source,
          boundIx: row.bound_ix,
          user: orNull(row.usr),
          client: orNull(row.client),
          agent: orNull(row.agent),
          agentIx: row.agent === null ? null : (row.agent_ix ?? row.bound_ix),
          resource: orNull(row.res),
          resourceIsBound: row.res_bound ?? false,
          scopes: (row.scopes ?? []).map(word),
          operation: wordOf(OPERATIONS, row.op),
          outcome: wordOf(OUTCOMES, row.outcome),
          from: Number(row.at),
          to: Number(row.until_at),
          n: Number(row.n),
          records: row.records === null ? null : Number(row.records),
          bytes: row.bytes === null ? null : Number(row.bytes),
        },
      ]),
    ),
    firstUse: Object.fromEntries(
      firstUse.map((row) => [
        JSON.stringify([name(row.usr), name(row.client), name(row.res), word(row.scope)]),
        row.first_ix,
      ]),
    ),
    uses: await readUses(rows, name, word),
    grants: grants.map((row) => ({
      user: name(row.usr),
      client: name(row.client),
      resource: name(row.res),
      from: row.from_ix,
      to: row.to_ix,
      scopes: row.scopes,
      agent: orNull(row.agent),
    })),
    connections: connections.map((row) => ({
      parts: JSON.stringify(row.parts),
      from: row.from_ix,
      to: row.to_ix,
      state: wordOf(CONNECTION_STATES, row.state),
      at: Number(row.at),
      scopes: row.scopes,
      agent: orNull(row.agent),
    })),
  };
}
