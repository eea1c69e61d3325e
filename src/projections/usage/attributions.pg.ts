import { loadSql } from '../../platform/postgres/index.js';
import type { UsageMoment } from './read.pg.js';

const ATTRIBUTIONS = { name: 'attributions', text: loadSql(import.meta.url, 'attributions.sql') };

/** Whom a use belongs to: the names that lineage has found by now. */
export interface UseAttribution {
  readonly user?: { readonly iss: string; readonly tenant?: string; readonly sub: string };
  readonly client?: { readonly iss: string; readonly client_id: string };
  readonly agent?: { readonly iss: string; readonly id: string };
}

interface Row {
  readonly [column: string]: unknown;
  readonly ix: string;
  readonly usr: readonly (string | null)[] | null;
  readonly client: readonly string[] | null;
  readonly agent: readonly string[] | null;
}

/** Reads the attributions of the uses from index `from` to `to` (exclusive). Entries that are no uses are not in the answer. */
export async function readAttributions(
  { rows: read }: Pick<UsageMoment, 'rows'>,
  from: bigint,
  to: bigint,
): Promise<ReadonlyMap<bigint, UseAttribution>> {
  const rows = await read<Row>({ ...ATTRIBUTIONS, uses: () => [{ index: to, since: from }] }, [
    String(from),
    String(to),
  ]);
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
