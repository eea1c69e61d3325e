import type { PersonErased } from '../contracts/index.js';
import { eraseEntries } from '../log/index.js';
import { inTransaction, type Pool, type PoolClient } from '../platform/postgres/index.js';
import { ENTITY_KINDS, REBUILD_LOCK } from '../projections/index.js';
import { ruleKeyToBytes, userKey } from '../rules/index.js';
import { findEntries } from './entries.pg.js';
import { createEraser, type PersonNames } from './person.js';
import { PLACES } from './places.js';
import { endErasure, moveErasure, takeRunning, type StoredErasure } from './stored.pg.js';
import { eraseFromFacts, eraseFromTables, type Person } from './tables.pg.js';
import type { ContentOf, Tenant } from './tenant.js';

export interface RunOptions {
  readonly pool: Pool;
  readonly contentOf: ContentOf;
  /** Writes `person.erased`; resolves to the index of its entry. Told again under its id, it has the same entry. */
  readonly tell: (told: {
    readonly tenant: string;
    readonly id: string;
    readonly atMs: number;
    readonly data: PersonErased;
  }) => Promise<bigint>;
  /** Makes every process and guard forget what it remembers of the tenant's tokens. Resolves when none answers by it any more. */
  readonly forget: (tenant: string) => Promise<void>;
  /** Writes the archive's files of names anew; resolves to undefined if it has to be tried again. Absent: there is no archive here. */
  readonly rewriteNameFiles?: (tenant: string, ids: readonly number[]) => Promise<number | undefined>;
  readonly now?: () => number;
}

/** `moved`: one step was done; there is more to do. `idle`: nothing runs. `held`: somebody else has it, or a rebuild runs. */
export type Advanced = 'moved' | 'idle' | 'held';

/** Tells the publisher of the control log that its topic holds names which the log does not hold any more. */
const CONTROL_NAMES_ERASED = `INSERT INTO control_names_erased (first_at, last_at) VALUES (clock_timestamp(), clock_timestamp())
  ON CONFLICT (only_row) DO UPDATE SET last_at = excluded.last_at`;

const TABLES_WITH_NAMES = Object.entries(PLACES).flatMap(([table, columns]) =>
  Object.values(columns).some((treatment) => treatment === 'replaced' || treatment === 'row-deleted') ? [table] : [],
);

/** Does one step of the tenant's oldest running erasure. Each step is one transaction, so a process may be killed between any two. */
export async function advance(options: RunOptions, tenant: Tenant): Promise<Advanced> {
  const { pool, contentOf } = options;
  const outside = await inTransaction(pool, async (client): Promise<Advanced | StoredErasure> => {
    const one = await takeRunning(client, tenant.id);
    if (one === undefined) return (await isAnyRunning(client, tenant.id)) ? 'held' : 'idle';
    // A rebuild that copied rows with the name would put them back.
    if (!(await holdsOffRebuild(client))) return 'held';
    const person = personOf(tenant, one);
    if (one.step === 'entries') await eraseNextEntries(client, one, person, contentOf);
    else if (one.step === 'tables') {
      const changed = await eraseFromTables(client, person, { onlyCounts: false });
      if (changed.some(({ table }) => table === 'control_log')) await client.query(CONTROL_NAMES_ERASED);
      await moveErasure(client, tenant.id, one, { ...one, step: 'archive' });
    } else return one;
    return 'moved';
  });
  return typeof outside === 'string' ? outside : finish(options, tenant, outside);
}

export const personOf = (tenant: Tenant, { names, below }: StoredErasure): Person => ({
  tenant,
  names: names!,
  eraser: createEraser(tenant.key, names!),
  below,
});

async function eraseNextEntries(
  client: PoolClient,
  one: StoredErasure,
  person: Person,
  contentOf: ContentOf,
): Promise<void> {
  const { tenant, eraser, below } = person;
  const { next, left, erased, kept } = await findEntries(
    client,
    { tenant, eraser, contentOf },
    { from: one.next, below },
  );
  await eraseEntries(client, left, { tenant: tenant.id, tenantKey: tenant.key, erasure: one.id, contentOf });
  await eraseFromFacts(
    client,
    person,
    left.map(({ entry }) => entry.index),
  );
  await moveErasure(client, tenant.id, one, {
    step: next < below ? 'entries' : 'tables',
    next,
    erased: one.erased + erased,
    kept: one.kept + kept.length,
  });
}

/** Has PostgreSQL replace the samples of columns that its planner keeps. */
async function sampleAnew(pool: Pool): Promise<void> {
  await pool.query(`ANALYZE ${TABLES_WITH_NAMES.join(', ')}`);
  // ANALYZE leaves the samples of a table that is empty now. PostgreSQL before 18 cannot drop them.
  const { rows } = await pool.query("SELECT to_regproc('pg_clear_attribute_stats') IS NOT NULL AS can");
  if ((rows[0] as { readonly can: boolean }).can)
    await pool.query(`SELECT pg_clear_attribute_stats(s.schemaname::text, s.tablename::text, s.attname::text, s.inherited)
      FROM pg_stats s JOIN pg_class c ON c.oid = format('%I.%I', s.schemaname, s.tablename)::regclass
      WHERE s.schemaname = current_schema() AND c.reltuples = 0`);
}

/** Does the steps that are no transaction of this database. Each may be repeated. */
async function finish(options: RunOptions, tenant: Tenant, one: StoredErasure): Promise<Advanced> {
  const { pool, tell, forget, rewriteNameFiles, now = Date.now } = options;
  if (one.step === 'archive') {
    const ids = await entityIds(pool, tenant, one.names!);
    if (rewriteNameFiles !== undefined && (await rewriteNameFiles(tenant.id, ids)) === undefined) return 'held';
    await inTransaction(pool, (client) => moveErasure(client, tenant.id, one, { ...one, step: 'tell' }));
    return 'moved';
  }
  await forget(tenant.id);
  await sampleAnew(pool);
  const data: PersonErased = {
    erasure: one.id,
    person: one.person.toString('base64url'),
    below: String(one.below),
    entries: { erased: one.erased, kept: one.kept },
    reason: one.reason,
    author: one.author,
  };
  const entry = await tell({ tenant: tenant.id, id: `erasure-${one.id}`, atMs: one.askedMs, data });
  await endErasure(pool, tenant.id, one.id, { entry, doneMs: now() });
  return 'moved';
}

/** Ids of the entities that have the person's names. */
export async function entityIds(pool: Pick<Pool, 'query'>, tenant: Tenant, names: PersonNames): Promise<number[]> {
  const keys = names.users.map((parts) => ruleKeyToBytes(userKey(tenant.key, parts)));
  const { rows } = await pool.query<{ id: number }>(
    'SELECT id FROM entity WHERE tenant = $1 AND kind = $2 AND key = ANY ($3::bytea[])',
    [tenant.id, ENTITY_KINDS.user, keys],
  );
  return rows.map(({ id }) => id);
}

async function isAnyRunning(client: PoolClient, tenant: string): Promise<boolean> {
  const { rowCount } = await client.query("SELECT FROM erasure WHERE tenant = $1 AND step <> 'done' LIMIT 1", [tenant]);
  return rowCount! > 0;
}

/** Keeps rebuilds from beginning until the transaction ends; false if one is running. */
async function holdsOffRebuild(client: PoolClient): Promise<boolean> {
  const { rows } = await client.query<{ free: boolean }>('SELECT pg_try_advisory_xact_lock_shared($1) AS free', [
    String(REBUILD_LOCK),
  ]);
  return rows[0]!.free;
}
