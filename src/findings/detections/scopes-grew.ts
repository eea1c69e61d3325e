import { loadSql } from '../../platform/postgres/index.js';
import type { Detection } from '../detection.js';
import { bySql, prepared } from '../fresh.js';

const SQL = prepared('scopes-grew', loadSql(import.meta.url, 'scopes-grew.sql'));

export const scopesGrew: Detection = {
  kind: 'scopes-grew',
  severity: 'medium',
  means: 'A client may do more at a resource than it was first approved for.',
  next: 'Ask who approved it and why; take back what is not needed.',
  looks: 'An approval that adds scopes to a connection, and the first use of a scope that was added so.',
  stop: [['client', 'resource']],
  see: 'changes',
  says: ({ client, resource, details }) =>
    details['how'] === 'used'
      ? `${client} used ${String(details['added'])} at ${resource}, which was not in its first approval.`
      : `${client} was approved for ${String(details['added'])} at ${resource}, beside what it had.`,
  find: bySql(SQL),
};
