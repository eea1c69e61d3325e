import { loadSql } from '../../platform/postgres/index.js';
import { LEARNS_DAYS, type Detection } from '../detection.js';
import { bySql, prepared } from '../fresh.js';

const SQL = prepared('new-at-sensitive-resource', loadSql(import.meta.url, 'new-at-sensitive-resource.sql'));

export const newAtSensitiveResource: Detection = {
  kind: 'new-at-sensitive-resource',
  severity: 'medium',
  means: 'A client deletes, exports or administers at a resource on the first day that it is seen there.',
  next: 'Check that somebody approved the client for this, and who owns it.',
  looks: `Deletions, exports or administration by a client at a resource within a day after anything first showed the two together, from day ${LEARNS_DAYS} of the ledger on.`,
  stop: [['client', 'resource']],
  see: 'access',
  says: ({ count, client, resource, details }) =>
    `${client} is new at ${resource} and did ${String(details['operation'])} there on its first day, ${count} times.`,
  find: bySql(SQL, ({ learnsDays }) => [learnsDays]),
};
