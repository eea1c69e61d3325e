import type { PoolClient } from '../platform/postgres/index.js';
import { ENTITY_KINDS } from '../projections/index.js';
import { erasedName, ruleKeyToBytes, userKey, type Parts } from '../rules/index.js';
import type { Eraser, PersonNames } from './person.js';
import { DELETES, PROJECTED, REWRITES, type Rewrite } from './rewrites.js';
import type { Tenant } from './tenant.js';

export interface Person {
  readonly tenant: Tenant;
  readonly names: PersonNames;
  readonly eraser: Eraser;
  /** The index of the ledger below which the person is erased. */
  readonly below: bigint;
}

/** Rows of a table that an erasure changes or deletes. */
export interface TableRows {
  readonly table: string;
  readonly rows: number;
  readonly does: 'replaces' | 'deletes';
}

const UNIQUE_VIOLATION = '23505';

type Querying = Pick<PoolClient, 'query'>;
type Columns = Readonly<Record<string, unknown>> & { readonly at: string };

/** Removes the person from every table but those that stand for entries. With `onlyCounts` it changes nothing. */
export async function eraseFromTables(
  client: Querying,
  person: Person,
  { onlyCounts }: { readonly onlyCounts: boolean },
): Promise<readonly TableRows[]> {
  const found: TableRows[] = [];
  const note = (table: string, rows: number, does: TableRows['does']): void => {
    if (rows > 0) found.push({ table, rows, does });
  };
  note('entity', await eraseEntities(client, person, onlyCounts), 'replaces');
  for (const { table, where } of DELETES)
    note(table, await deleteRows(client, person, { table, where }, onlyCounts), 'deletes');
  for (const rewrite of REWRITES)
    note(rewrite.table, await rewriteRows(client, person, rewrite, { onlyCounts, more: [] }), 'replaces');
  for (const rewrite of PROJECTED)
    note(
      rewrite.table,
      await rewriteRows(client, person, rewrite, { onlyCounts, more: [String(person.below)] }),
      'replaces',
    );
  return found;
}

/** Puts the names that stand for the person into the directory of small ids. */
async function eraseEntities(client: Querying, { tenant, names, below }: Person, onlyCounts: boolean): Promise<number> {
  const keys = names.users.map((parts) => ruleKeyToBytes(userKey(tenant.key, parts)));
  const values = [tenant.id, ENTITY_KINDS.user, keys, names.users.map((parts) => erasedParts(tenant, parts)), below];
  const of = `entity e JOIN unnest($3::bytea[], $4::jsonb[]) AS n (key, parts) ON e.key = n.key
    WHERE e.tenant = $1 AND e.kind = $2 AND e.from_ix < $5::bigint AND e.parts <> n.parts`;
  if (onlyCounts) {
    const { rows } = await client.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${of}`, values);
    return rows[0]!.n;
  }
  const { rowCount } = await client.query(
    `UPDATE entity e SET parts = n.parts FROM unnest($3::bytea[], $4::jsonb[]) AS n (key, parts)
     WHERE e.key = n.key AND e.tenant = $1 AND e.kind = $2 AND e.from_ix < $5::bigint AND e.parts <> n.parts`,
    values,
  );
  return rowCount!;
}

const erasedParts = (tenant: Tenant, parts: Parts): string =>
  JSON.stringify([...parts.slice(0, -1), erasedName(tenant.key, [parts])]);

async function deleteRows(
  client: Querying,
  { tenant, names, eraser }: Person,
  { table, where }: { readonly table: string; readonly where: string },
  onlyCounts: boolean,
): Promise<number> {
  const people = names.users.map(([iss, , sub]) => ({ iss: iss!, sub: sub! }));
  const values = [
    tenant.id,
    eraser.texts,
    people.map(({ iss }) => iss),
    people.map(({ sub }) => sub),
    people.map(({ iss, sub }) => `person:${iss}#${sub}`),
    names.users.map((parts) => ruleKeyToBytes(userKey(tenant.key, parts))),
  ];
  // Each condition uses some of the values: all of them are named once, with their types.
  const typed =
    '$2::text[] IS NOT NULL AND $3::text[] IS NOT NULL AND $4::text[] IS NOT NULL AND $5::text[] IS NOT NULL AND $6::bytea[] IS NOT NULL';
  const of = `FROM ${table} WHERE tenant = $1 AND ${typed} AND (${where})`;
  if (!onlyCounts) return (await client.query(`DELETE ${of}`, values)).rowCount!;
  return (await client.query<{ n: number }>(`SELECT count(*)::int AS n ${of}`, values)).rows[0]!.n;
}

async function rewriteRows(
  client: Querying,
  { tenant, eraser }: Person,
  { table, find, write, columns, strict, keyed }: Rewrite,
  { onlyCounts, more }: { readonly onlyCounts: boolean; readonly more: readonly string[] },
): Promise<number> {
  const { rows } = await client.query<Columns>(onlyCounts ? find : `${find} FOR UPDATE`, [
    tenant.id,
    eraser.texts,
    ...more,
  ]);
  let changed = 0;
  for (const row of rows) {
    const before = columns.map((column) => row[column]);
    const after = columns.map((column) => withoutName(column, row[column], eraser, strict === true));
    if (after.every((value, nth) => JSON.stringify(value) === JSON.stringify(before[nth]))) continue;
    changed += 1;
    if (onlyCounts) continue;
    const values = [tenant.id, row.at, ...after.map(asValue)];
    await (keyed === true ? writeKeyed(client, { table, write }, values) : client.query(write, values));
  }
  return changed;
}

/** Writes a row whose key holds the name. Two names of the person may have told two rows apart: the second one goes. */
async function writeKeyed(
  client: Querying,
  { table, write }: Pick<Rewrite, 'table' | 'write'>,
  values: readonly unknown[],
): Promise<void> {
  await client.query('SAVEPOINT keyed');
  try {
    await client.query(write, [...values]);
  } catch (error) {
    if ((error as { code?: unknown }).code !== UNIQUE_VIOLATION) throw error;
    await client.query('ROLLBACK TO SAVEPOINT keyed');
    await client.query(`DELETE FROM ${table} WHERE tenant = $1 AND ctid = $2::tid`, values.slice(0, 2));
  }
  await client.query('RELEASE SAVEPOINT keyed');
}

function withoutName(column: string, value: unknown, eraser: Eraser, strict: boolean): unknown {
  if (typeof value === 'string') return eraser.text(value);
  return strict ? eraser.data(value, undefined, column) : eraser.loose(value);
}

const asValue = (value: unknown): unknown =>
  typeof value === 'object' && value !== null ? JSON.stringify(value) : value;

/** Replaces the person's names in the facts of the tokens and ID-JAGs that these entries brought. */
export async function eraseFromFacts(
  client: Querying,
  { tenant, eraser }: Pick<Person, 'tenant' | 'eraser'>,
  indexes: readonly bigint[],
): Promise<void> {
  for (const table of ['token', 'id_jag'] as const) {
    const { rows } = await client.query<{ key: Buffer; facts: object }>(
      `SELECT key, facts FROM ${table} WHERE tenant = $1 AND ix = ANY ($2::bigint[]) FOR UPDATE`,
      [tenant.id, indexes.map(String)],
    );
    await client.query(
      `UPDATE ${table} t SET facts = n.facts FROM unnest($2::bytea[], $3::jsonb[]) AS n (key, facts) WHERE t.tenant = $1 AND t.key = n.key`,
      [tenant.id, rows.map(({ key }) => key), rows.map(({ facts }) => JSON.stringify(eraser.data(facts)))],
    );
  }
}
