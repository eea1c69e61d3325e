import { loadSql } from '../../platform/postgres/index.js';
import type { Detection } from '../detection.js';
import { bySql, prepared } from '../fresh.js';

const SQL = prepared('administration', loadSql(import.meta.url, 'administration.sql'));

export const administration: Detection = {
  kind: 'administration',
  severity: 'high',
  means: 'Somebody changed who rules Rescind, stopped everything, or entries were lost.',
  next: 'Check that it was meant.',
  looks:
    'A caller with the role admin that another one created or changed; a rule on everything; records of a topic that were gone before they were read.',
  stop: [],
  see: 'entries',
  says: ({ details }) =>
    details['how'] === 'admin'
      ? `${String(details['by'])} made ${String(details['caller'])} an administrator.`
      : details['how'] === 'all'
        ? `${String(details['by'])} ordered a rule on everything.`
        : `Records of ${String(details['topic'])} were lost.`,
  find: bySql(SQL),
};
