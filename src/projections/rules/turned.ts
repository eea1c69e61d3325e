import { loadSql } from '../../platform/postgres/index.js';

const TURNED = loadSql(import.meta.url, 'turned.sql');

/** Returns SQL that joins to a `rule_version r`, from the entries below `index`: `o`, the event that ordered it, and `e`, the enabling that ended its block. */
export const turnedBelow = (index: string): string => TURNED.replaceAll('{index}', index);

/** SQL for the moment of the `revoke` that a block became, epoch milliseconds: its event's time if the enabling arrived first, else the enabling's. */
export const TURNED_MS = 'CASE WHEN e.ix < o.ix THEN o.at_ms ELSE e.at_ms END';
