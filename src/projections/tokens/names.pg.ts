import type { PoolClient } from 'pg';
import type { IdJagIssued } from '../../contracts/index.js';
import { byteaArray, int4Array, int8Array, loadSql, uuidArray } from '../../platform/postgres/index.js';
import { ruleKeyToBytes, type RuleKey } from '../../rules/index.js';
import type { ProjectedEvent } from '../event.js';
import { namesOfIdJag, strayNamesOf } from './stray-names.js';

const FIND_STRAY_ID_JAGS = loadSql(import.meta.url, 'find-stray-id-jags.sql');
const WRITE_NAMES = `INSERT INTO token_name (tenant, name, tok, first_ix)
  SELECT * FROM unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::bigint[]) ON CONFLICT DO NOTHING`;
const WRITE_RESOURCES = `INSERT INTO client_resource (tenant, res, client, first_ix)
  SELECT * FROM unnest($1::uuid[], $2::int[], $3::int[], $4::bigint[]) ON CONFLICT DO NOTHING`;

/** A token or ID-JAG event with the key of its token or ID-JAG. */
interface Keyed<N extends 'token.issued' | 'id-jag.issued'> {
  readonly event: ProjectedEvent<N>;
  readonly key: Buffer;
}

/** A name of a token, and the index from which it is known. */
interface StrayName {
  readonly tenant: string;
  readonly name: RuleKey;
  readonly tok: Buffer;
  readonly ix: bigint;
}

/** Writes the names by which alone a token can be found: those beside others in its own facts, and those of an ID-JAG that says otherwise. */
export async function writeStrayNames(
  client: PoolClient,
  tokens: readonly Keyed<'token.issued'>[],
  idJags: readonly Keyed<'id-jag.issued'>[],
): Promise<void> {
  const tenantKeys = new Map([...tokens, ...idJags].map(({ event }) => [event.tenant, event.tenantKey]));
  const { rows } = await client.query<{ tenant: string; key: Buffer; ix: string; facts: IdJagIssued }>(
    FIND_STRAY_ID_JAGS,
    [
      uuidArray(tokens.map(({ event }) => event.tenant)),
      byteaArray(tokens.map(({ key }) => key)),
      uuidArray(idJags.map(({ event }) => event.tenant)),
      byteaArray(idJags.map(({ key }) => key)),
    ],
  );
  const names: StrayName[] = [
    ...tokens.flatMap(({ event: { tenant, tenantKey, data, ix }, key: tok }) =>
      strayNamesOf(tenantKey, data).map((name) => ({ tenant, name, tok, ix })),
    ),
    ...rows.flatMap(({ tenant, key: tok, ix, facts }) =>
      namesOfIdJag(tenantKeys.get(tenant)!, facts).map((name) => ({ tenant, name, tok, ix: BigInt(ix) })),
    ),
  ];
  if (names.length === 0) return;
  // The first of two rows is written; rows of earlier batches have a lower index.
  names.sort((one, other) => (one.ix < other.ix ? -1 : 1));
  await client.query(WRITE_NAMES, [
    uuidArray(names.map(({ tenant }) => tenant)),
    byteaArray(names.map(({ name }) => ruleKeyToBytes(name))),
    byteaArray(names.map(({ tok }) => tok)),
    int8Array(names.map(({ ix }) => ix)),
  ]);
}

/** A client of a token, and a resource that the token is for. */
export interface ClientResource {
  readonly tenant: string;
  readonly client: number;
  readonly res: number;
  readonly ix: bigint;
}

/** Writes the first index at which a token shows a client and a resource together. `pairs` come in the order of their indexes. */
export async function writeClientResources(client: PoolClient, pairs: readonly ClientResource[]): Promise<void> {
  // Most pairs occur many times. The first of the batch is written; rows of earlier batches have a lower index.
  const first = new Map<string, ClientResource>();
  for (const pair of pairs) {
    const name = `${pair.tenant}|${pair.client}|${pair.res}`;
    if (!first.has(name)) first.set(name, pair);
  }
  const rows = [...first.values()];
  await client.query(WRITE_RESOURCES, [
    uuidArray(rows.map(({ tenant }) => tenant)),
    int4Array(rows.map(({ res }) => res)),
    int4Array(rows.map((row) => row.client)),
    int8Array(rows.map(({ ix }) => ix)),
  ]);
}
