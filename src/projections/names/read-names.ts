import { loadSql } from '../../platform/postgres/index.js';

/** Reads names of entities. `$2` are ids, `$3` is the index. */
export const READ_NAMES = { name: 'names', text: loadSql(import.meta.url, 'names.sql') };
