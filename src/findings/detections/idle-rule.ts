import { loadSql } from '../../platform/postgres/index.js';
import type { Detection } from '../detection.js';
import { bySql, prepared } from '../fresh.js';

const SQL = prepared('idle-rule', loadSql(import.meta.url, 'idle-rule.sql'));
const HOURS = 24;

export const idleRule: Detection = {
  kind: 'idle-rule',
  severity: 'info',
  means: 'A rule has stopped nothing since it was ordered: it may name somebody else than was meant.',
  next: 'Check the name. Lift the rule if it is not needed.',
  looks: `Blocks that a person ordered on a user or client over ${HOURS} hours ago, with no use or refusal since.`,
  stop: [],
  see: 'rule',
  says: ({ details }) => `Nobody has tried what rule ${String(details['rule'])} stops.`,
  find: bySql(SQL, ({ nowMs }) => [nowMs, HOURS * 3_600_000]),
  isCondition: true,
};
