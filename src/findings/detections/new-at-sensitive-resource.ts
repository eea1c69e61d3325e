import { loadSql } from '../../platform/postgres/index.js';
import { OPERATIONS } from '../../projections/index.js';
import { LEARNS_DAYS, type Detection, type Shown } from '../detection.js';
import { bySql, prepared } from '../fresh.js';

const SQL = prepared('new-at-sensitive-resource', loadSql(import.meta.url, 'new-at-sensitive-resource.sql'));

const done = (details: Shown['details']): string =>
  Object.keys(OPERATIONS)
    .filter((operation) => details[operation] === true)
    .join(', ');

export const newAtSensitiveResource: Detection = {
  kind: 'new-at-sensitive-resource',
  severity: 'medium',
  means: 'A client or an agent does something sensitive at a resource on the first day that it is seen there.',
  next: 'Check that somebody approved the client or the agent for this, and who owns it.',
  looks: `Deletions, exports or administration by a client at a resource within a day after anything first showed the two together, from day ${LEARNS_DAYS} of the ledger on. At a resource that the directory tags sensitive: any use, also by an agent that is new there. At one that it tags not-sensitive: none.`,
  stop: [
    ['client', 'agent', 'resource'],
    ['client', 'resource'],
  ],
  see: 'access',
  says: ({ count, client, resource, details }) =>
    `${details['new'] === 'agent' ? `An agent of ${client}` : client} is new at ${resource} and did ${done(details)} there on its first day, ${count} times.`,
  find: bySql(SQL, ({ learnsDays }) => [learnsDays]),
};
