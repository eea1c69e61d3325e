import type { Pool } from 'pg';
import { loadSql } from '../../platform/postgres/index.js';

const ATTRIBUTIONS = { name: 'attributions', text: loadSql(import.meta.url, 'attributions.sql') };

/** Whom a use belongs to: the names that lineage has found by now. */
export interface UseAttribution {
  readonly user?: { readonly iss: string; readonly tenant?: string; readonly sub: string };
  readonly client?: { readonly iss: string; readonly client_id: string };
  readonly agent?: { readonly iss: string; readonly id: string };
}

interface Row {
  readonly ix: string;
  readonly usr: readonly (string | null)[] | null;
  readonly client: readonly string[] | null;
  readonly agent: readonly string[] | null;
}

/** Reads the attributions of a tenant's uses from index `from` to `to` (exclusive). Entries that are no uses are not in the answer. */
export async function readAttributions(
  session: Pick<Pool, 'query'>,
  tenant: string,
  from: bigint,
  to: bigint,
): Promise<ReadonlyMap<bigint, UseAttribution>> {
  const { rows } = await session.query<Row>({ ...ATTRIBUTIONS, values: [tenant, String(from), String(to)] });
  return new Map(rows.map((row) => [BigInt(row.ix), attributionOf(row)]));
}

function attributionOf({ usr, client, agent }: Row): UseAttribution {
  const [userIss, userTenant, sub] = usr ?? [];
  return {
    ...(usr && { user: { iss: userIss!, sub: sub!, ...(userTenant == null ? {} : { tenant: userTenant }) } }),
    ...(client && { client: { iss: client[0]!, client_id: client[1]! } }),
    ...(agent && { agent: { iss: agent[0]!, id: agent[1]! } }),
  };
}
