import { loadSql } from '../../platform/postgres/index.js';

/** Reads names of entities. `$2` are ids, `$3` is the index. */
export const READ_NAMES = { name: 'names', text: loadSql(import.meta.url, 'names.sql') };

/** Selects the type of each agent, as `id` and `value`. `$2` is the index. Statements are built around it. */
export const AGENT_TYPES = loadSql(import.meta.url, 'agent-types.sql').trimEnd();
