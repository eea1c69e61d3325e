interface TableDeclaration {
  /** Indexes that no writer looks anything up by; a rebuild builds them when the table is filled. Forgetting one costs time, one too many much. */
  readonly later?: readonly string[];
  /** What its rows say, where their cut depends on how events were batched: compared in place of them. `{table}` stands for it. */
  readonly compared?: string;
}

/** A row a batch, by events. */
const SOURCE_EVENTS = `SELECT tenant, source, what, arrival, (last_ix >> 16 << 16) + e.ix AS ix, e.delay
  FROM {table} CROSS JOIN LATERAL unnest(ixs, delays) AS e (ix, delay)`;

/** One projection: its tables, and whose tables it reads while it writes them. */
interface Declaration {
  readonly tables: Readonly<Record<string, TableDeclaration>>;
  readonly reads?: readonly ProjectionName[];
  /** SQL functions that its statements call. */
  readonly functions?: readonly string[];
}

/**
 * All that `write.pg.ts` writes, a line a table: a rebuild makes exactly these anew, and can name no other.
 */
export const PROJECTIONS: Readonly<Record<ProjectionName, Declaration>> = {
  entities: { tables: { entity: { later: ['entity_name'] } } },
  tokens: {
    tables: {
      token: { later: ['token_usr', 'token_client', 'token_agent', 'token_parent', 'token_conflict', 'token_usr_ends', 'token_client_ends', 'token_agent_ends', 'token_late', 'token_id_jag_sid', 'token_sid'] },
      id_jag: { later: ['id_jag_usr', 'id_jag_parent', 'id_jag_session'] },
    },
  },
  usage: {
    reads: ['tokens'],
    functions: ['capped'],
    tables: {
      access: { later: ['access_at', 'access_usr', 'access_usr_bound', 'access_client', 'access_agent', 'access_res', 'access_res_op', 'access_late', 'access_agent_late'] },
      first_use: {},
      source_routes: {},
      use_total: {},
      use_client: {},
      use_res: {},
      use_source: {},
      use_usr: {},
      use_usr_end: {},
      edge_use: {},
      edge_cum: {},
      edge_scope_used: { later: ['edge_scope_used_first'] },
      edge_agent_used: { later: ['edge_agent_used_first'] },
    },
  },
  grants: {
    tables: {
      grant_version: { later: ['grant_res', 'grant_agent', 'grant_again'] },
      edge_grant: { later: ['edge_grant_from'] },
      edge_scope_granted: { later: ['edge_scope_granted_first'] },
      edge_agent_granted: { later: ['edge_agent_granted_first'] },
    },
  },
  connections: { tables: { connection_version: { later: ['connection_client', 'connection_from'] }, alias: { later: ['alias_from'] } } },
  edges: { reads: ['usage', 'grants', 'connections'], tables: { edge_seen: { later: ['edge_seen_first', 'edge_seen_res'] }, client_user: {}, issuer_user: {} } },
  sessions: { tables: { session: {}, principal_version: {} } },
  rules: { tables: { rule_version: { later: ['rule_lead', 'rule_keys', 'rule_from', 'rule_lifted'] }, rule_event: {} } },
  sources: { reads: ['tokens'], tables: { source_count: { later: ['source_count_blk'] }, source_event: { compared: SOURCE_EVENTS } } },
  sequences: { tables: { source_sequence: {} }, functions: ['numbers_in'] },
};

export type ProjectionName = 'entities' | 'tokens' | 'usage' | 'grants' | 'connections' | 'edges' | 'sessions' | 'rules' | 'sources' | 'sequences';

export const ALL_PROJECTIONS: ReadonlySet<ProjectionName> = new Set(Object.keys(PROJECTIONS) as ProjectionName[]);

/** Small ids are everybody's, so `entities` are made anew with all the others or not at all. */
export const REBUILD_NAMES: readonly string[] = ['all', ...[...ALL_PROJECTIONS].filter((name) => name !== 'entities')];

/**
 * What is made anew when one is named: with it what it reads and what reads it, so that no table is left that was written from rows
 * that are gone. Undefined for a name that is none.
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
