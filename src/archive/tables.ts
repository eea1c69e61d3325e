/** A type of DuckDB. `BLOB` and lists come from PostgreSQL as text and are read by `readAs`. */
export type ColumnType = 'BIGINT' | 'INTEGER' | 'SMALLINT' | 'BOOLEAN' | 'VARCHAR' | 'BLOB' | 'INTEGER[]';

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
}

export type TableName = 'uses' | 'late' | 'token' | 'entity' | 'route' | 'address';

export interface Table {
  readonly columns: readonly Column[];
  /** Order of the rows of a file; it must be total, so that a file made anew has the same bytes. */
  readonly order: string;
}

const columns = (text: string): readonly Column[] =>
  text
    .trim()
    .split(/\s*,\s*/)
    .map((column) => {
      const [name, type] = column.split(' ') as [string, ColumnType];
      return { name, type };
    });

const LATE_FACTS = `bound_ix BIGINT, usr INTEGER, client INTEGER, agent INTEGER, agent_ix BIGINT, res INTEGER, res_bound BOOLEAN, foreign_ix BIGINT`;

/**
 * The tables of the archive, in the order in which the files of a segment appear: who reads uses finds their names. FORMAT.md describes every
 * column; a change here is a new version of the format.
 */
export const TABLES: Readonly<Record<TableName, Table>> = {
  entity: {
    columns: columns('id INTEGER, from_ix BIGINT, kind VARCHAR, name VARCHAR, issuer VARCHAR, parts VARCHAR'),
    order: 'id',
  },
  route: { columns: columns('id INTEGER, from_ix BIGINT, name VARCHAR'), order: 'id' },
  address: { columns: columns('id INTEGER, from_ix BIGINT, name VARCHAR'), order: 'id' },
  token: {
    columns: columns(
      `key BLOB, ix BIGINT, kind VARCHAR, source VARCHAR, bound_ix BIGINT, usr INTEGER, client INTEGER, agent INTEGER, agent_ix BIGINT,
       res INTEGER[], id_jag_key BLOB, parent_key BLOB, iat BIGINT, exp BIGINT, conflict_ix BIGINT`,
    ),
    order: 'ix, key',
  },
  late: { columns: columns(`ix BIGINT, ${LATE_FACTS}`), order: 'ix' },
  uses: {
    columns: columns(
      `ix BIGINT, first_at BIGINT, last_at BIGINT, ${LATE_FACTS}, scopes INTEGER[], op SMALLINT, outcome SMALLINT, status INTEGER,
       route INTEGER, addr INTEGER, source VARCHAR, tok BLOB, n BIGINT, records BIGINT, bytes BIGINT`,
    ),
    order: 'res NULLS LAST, first_at, ix',
  },
};

export const TABLE_NAMES = Object.keys(TABLES) as readonly TableName[];
