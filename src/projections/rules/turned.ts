import { loadSql } from '../../platform/postgres/index.js';

const TURNED = loadSql(import.meta.url, 'turned.sql');

/** Joins to a `rule_version r` the event that made it and the enabling that ended its block, as the entries below `index` tell: `o` and `e`. */
export const turnedBelow = (index: string): string => TURNED.replaceAll('{index}', index);

/** Since when the block is a revoke, epoch milliseconds: as of its event where the enabling was there first. */
export const TURNED_MS = 'CASE WHEN e.ix < o.ix THEN o.at_ms ELSE e.at_ms END';
