import type { Pool, PoolClient } from 'pg';
import { RescindError } from '../../contracts/index.js';
import { PROJECTIONS, type ProjectionName } from '../declarations.js';

/** Schemas of the rebuilt tables and of the tables that they replaced. One rebuild runs at a time: see `rebuild.pg.ts`. */
export const MADE = 'rescind_rebuild';
export const REPLACED = 'rescind_replaced';

type Session = Pick<Pool | PoolClient, 'query'>;

export const tablesOf = (names: ReadonlySet<ProjectionName>): string[] =>
  [...names].flatMap((name) => Object.keys(PROJECTIONS[name].tables));

/** Finds the schema of the live tables; returns it quoted. */
export async function findLiveSchema(session: Session): Promise<string> {
  const { rows } = await session.query<{ live: string }>(
    "SELECT quote_ident(n.nspname) AS live FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = 'ledger_head'::regclass",
  );
  return rows[0]!.live;
}

/** Drops everything that an earlier rebuild left, also if it was killed. Nothing live is in these schemas. */
export async function dropShadow(session: Session): Promise<void> {
  await session.query(`DROP SCHEMA IF EXISTS ${MADE}, ${REPLACED} CASCADE`);
}

/** Creates empty tables like the live ones, with owner and rights. Indexes that no writer needs (`later`) are left for `finishShadow`. */
export async function createShadow(session: Session, live: string, names: ReadonlySet<ProjectionName>): Promise<void> {
  await session.query(`CREATE SCHEMA ${MADE}; CREATE SCHEMA ${REPLACED}`);
  for (const name of new Set<ProjectionName>(['entities', ...names])) {
    for (const [table, { later = [] }] of Object.entries(PROJECTIONS[name].tables)) {
      await checkThere(session, live, table);
      await session.query(`CREATE TABLE ${MADE}.${table} (LIKE ${live}.${table} INCLUDING ALL EXCLUDING INDEXES)`);
      for (const statement of await readStatements(session, `${live}.${table}`, RIGHTS)) await session.query(statement);
      for (const { name: index, statement } of await readIndexes(session, live, table))
        if (!later.includes(index)) await session.query(statement);
    }
    for (const routine of PROJECTIONS[name].functions ?? []) {
      const { rows } = await session.query<{ definition: string }>(
        `SELECT pg_get_functiondef('${live}.${routine}'::regproc) AS definition`,
      );
      await session.query(rows[0]!.definition.replace(`FUNCTION ${live}.`, `FUNCTION ${MADE}.`));
    }
  }
}

async function checkThere(session: Session, live: string, table: string): Promise<void> {
  const { rows } = await session.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [
    `${live}.${table}`,
  ]);
  if (!rows[0]!.there)
    throw new RescindError('config-invalid', {
      detail: `the database has no table ${table}: start the service of this release first`,
    });
}

/** Creates the indexes that `createShadow` left out, and runs VACUUM (ANALYZE) for the planner and for index-only scans. */
export async function finishShadow(session: Session, live: string, names: ReadonlySet<ProjectionName>): Promise<void> {
  for (const name of names) {
    for (const [table, { later = [] }] of Object.entries(PROJECTIONS[name].tables)) {
      for (const { name: index, statement } of await readIndexes(session, live, table))
        if (later.includes(index)) await session.query(statement);
      await session.query(`VACUUM (ANALYZE) ${MADE}.${table}`);
    }
  }
}

/** Analyses the tables while they are filled. Otherwise the planner takes a table for small and reads all of it for each batch. */
export async function analyzeShadow(session: Session, names: ReadonlySet<ProjectionName>): Promise<void> {
  const tables = tablesOf(new Set<ProjectionName>(['entities', ...names]));
  await session.query(`ANALYZE ${tables.map((table) => `${MADE}.${table}`).join(', ')}`);
}

const RIGHTS = `
  SELECT format('ALTER TABLE ${MADE}.%I OWNER TO %I', c.relname, pg_get_userbyid(c.relowner)) AS statement
  FROM pg_class c WHERE c.oid = $1::regclass
  UNION ALL
  SELECT format('ALTER TABLE ${MADE}.%I SET (%s)', c.relname, array_to_string(c.reloptions, ', '))
  FROM pg_class c WHERE c.oid = $1::regclass AND c.reloptions IS NOT NULL
  UNION ALL
  SELECT format('GRANT %s ON ${MADE}.%I TO %s%s', a.privilege_type, c.relname,
                CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
                CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
  FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = $1::regclass AND a.grantee <> c.relowner`;

async function readStatements(session: Session, table: string, sql: string): Promise<readonly string[]> {
  return (await session.query<{ statement: string }>(sql, [table])).rows.map(({ statement }) => statement);
}

interface Index {
  readonly name: string;
  readonly statement: string;
}

/** Reads the statements that create a table's indexes in the new schema. Index names stay the same, because each schema has its own. */
async function readIndexes(session: Session, live: string, table: string): Promise<readonly Index[]> {
  const { rows } = await session.query<Index & { constraint: string | null }>(
    `SELECT c.relname AS name, pg_get_indexdef(i.indexrelid) AS statement,
            'ALTER TABLE ${MADE}.' || quote_ident(t.relname) || ' ADD CONSTRAINT ' || quote_ident(k.conname) || ' ' || pg_get_constraintdef(k.oid) AS constraint
     FROM pg_index i
     JOIN pg_class c ON c.oid = i.indexrelid
     JOIN pg_class t ON t.oid = i.indrelid
     LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
     WHERE i.indrelid = $1::regclass
     ORDER BY i.indisprimary DESC, c.relname`,
    [`${live}.${table}`],
  );
  return rows.map(({ name, statement, constraint }) => ({
    name,
    statement: constraint ?? statement.replace(/ ON (?:ONLY )?/, ' ON ').replace(` ON ${live}.`, ` ON ${MADE}.`),
  }));
}

/**
 * Switches the tables in the caller's transaction, which must hold their locks. A live table that is partitioned leaves with its partitions;
 * the new one has none.
 */
export async function switchTables(client: PoolClient, live: string, tables: readonly string[]): Promise<void> {
  const { rows: partitions } = await client.query<{ name: string }>(
    'SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = ANY ($1::regclass[])',
    [`{${tables.map((table) => `"${live}.${table}"`).join(',')}}`],
  );
  await client.query(
    [
      ...partitions.map(({ name }) => `ALTER TABLE ${name} SET SCHEMA ${REPLACED}`),
      ...tables.map(
        (table) =>
          `ALTER TABLE ${live}.${table} SET SCHEMA ${REPLACED}; ALTER TABLE ${MADE}.${table} SET SCHEMA ${live}`,
      ),
    ].join('; '),
  );
}
