interface TableDeclaration {
  /** Indexes that no writer needs; a rebuild creates them last. Omitting one slows the rebuild; listing one that a writer needs slows it badly. */
  readonly later?: readonly string[];
  /** Statement whose rows are compared instead of the table's own, if the latter depend on how events were batched. `{table}` stands for the table. */
  readonly compared?: string;
  /** Condition that the rebuilt rows `r` must meet to be compared. `{live}` stands for the schema of the live tables. */
  readonly except?: string;
}

/** Leaves out the rows that the live table lacks because they are cold. */
const NOT_COLD = `NOT EXISTS (SELECT FROM {live}.access_cold c WHERE c.tenant = r.tenant AND r.ix < c.end_ix AND r.at < c.end_at)
  OR EXISTS (SELECT FROM {live}.access a WHERE a.tenant = r.tenant AND a.ix = r.ix AND a.at = r.at)`;

/** Reads `source_event`, which has a row for each batch, as one row for each event and for each number of a sequence. */
const SOURCE_EVENTS = `SELECT tenant, source, what, arrival, (last_ix >> 16 << 16) + e.ix AS ix, e.delay
  FROM {table} CROSS JOIN LATERAL unnest(ixs, delays) AS e (ix, delay)
  UNION ALL
  SELECT tenant, source, 'number', NULL, n, NULL
  FROM {table} CROSS JOIN LATERAL unnest(numbers) AS run CROSS JOIN LATERAL generate_series(lower(run), upper(run) - 1) AS n`;

/** One projection: its tables, and the projections whose tables it reads while it writes. */
interface Declaration {
  readonly tables: Readonly<Record<string, TableDeclaration>>;
  readonly reads?: readonly ProjectionName[];
  /** SQL functions that its statements call. */
  readonly functions?: readonly string[];
}

/**
 * Declares every table that `write.pg.ts` writes. A rebuild makes exactly these tables anew and cannot see any other.
 */
export const PROJECTIONS: Readonly<Record<ProjectionName, Declaration>> = {
  entities: { tables: { entity: { later: ['entity_name', 'entity_parts', 'entity_from'] } } },
  tokens: {
    tables: {
      token: {
        later: [
          'token_usr',
          'token_client',
          'token_agent',
          'token_parent',
          'token_conflict',
          'token_usr_ends',
          'token_client_ends',
          'token_agent_ends',
          'token_late',
          'token_agent_late',
          'token_ix',
          'token_id_jag_sid',
          'token_sid',
        ],
      },
      token_name: {},
      client_resource: {},
      id_jag: {
        later: ['id_jag_usr', 'id_jag_conflict', 'id_jag_parent', 'id_jag_exchanged', 'id_jag_session', 'id_jag_ix'],
      },
    },
  },
  usage: {
    reads: ['tokens'],
    functions: ['capped'],
    tables: {
      access: {
        later: [
          'access_at',
          'access_usr',
          'access_client',
          'access_agent',
          'access_res',
          'access_res_op',
          'access_late',
          'access_agent_late',
          'access_foreign_late',
        ],
        except: NOT_COLD,
      },
      // A rebuild brings every use back.
      access_cold: { compared: 'SELECT 1 AS cold FROM {table} WHERE tenant IS NULL' },
      first_use: {},
      source_routes: {},
      use_total: {},
      use_client: {},
      use_res: {},
      use_source: {},
      use_usr: { later: ['use_usr_blk'] },
      use_usr_end: {},
      edge_use: {},
      edge_cum: {},
      edge_scope_used: { later: ['edge_scope_used_first'] },
      edge_agent_used: { later: ['edge_agent_used_first'] },
    },
  },
  grants: {
    tables: {
      grant_version: { later: ['grant_res', 'grant_agent', 'grant_again', 'grant_from'] },
      edge_grant: { later: ['edge_grant_from'] },
      edge_scope_granted: { later: ['edge_scope_granted_first'] },
      edge_agent_granted: { later: ['edge_agent_granted_first'] },
    },
  },
  connections: {
    tables: {
      connection_version: { later: ['connection_client', 'connection_from'] },
      alias: { later: ['alias_from'] },
    },
  },
  edges: {
    reads: ['usage', 'grants', 'connections'],
    tables: { edge_seen: { later: ['edge_seen_first', 'edge_seen_res'] }, client_user: {}, issuer_user: {} },
  },
  sessions: { tables: { session: { later: ['session_usr'] }, principal_version: { later: ['principal_disabled'] } } },
  said: { tables: { said: {} } },
  rules: {
    tables: { rule_version: { later: ['rule_lead', 'rule_keys', 'rule_from', 'rule_lifted'] }, rule_event: {} },
  },
  sources: {
    reads: ['tokens'],
    tables: { source_count: {}, source_event: { compared: SOURCE_EVENTS } },
  },
  sequences: { tables: { source_sequence: {} }, functions: ['numbers_in'] },
};

export type ProjectionName =
  | 'entities'
  | 'tokens'
  | 'usage'
  | 'grants'
  | 'connections'
  | 'edges'
  | 'sessions'
  | 'said'
  | 'rules'
  | 'sources'
  | 'sequences';

export const ALL_PROJECTIONS: ReadonlySet<ProjectionName> = new Set(Object.keys(PROJECTIONS) as ProjectionName[]);

/** Names that a rebuild accepts. Every projection stores small ids, so `entities` is rebuilt only with `all`. */
export const REBUILD_NAMES: readonly string[] = ['all', ...[...ALL_PROJECTIONS].filter((name) => name !== 'entities')];

/**
 * Finds the projections that a rebuild of `name` makes anew: the named one, those that it reads, and those that read it, so that no
 * table remains that was written from rows which are gone. Undefined for an unknown name.
 */
export function projectionsOf(name: string): ReadonlySet<ProjectionName> | undefined {
  if (name === 'all') return ALL_PROJECTIONS;
  if (!REBUILD_NAMES.includes(name)) return undefined;
  const found = new Set([name as ProjectionName]);
  for (const one of found) {
    for (const read of PROJECTIONS[one].reads ?? []) found.add(read);
    for (const other of ALL_PROJECTIONS) if (PROJECTIONS[other].reads?.includes(one)) found.add(other);
  }
  return found;
}
