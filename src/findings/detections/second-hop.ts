import { loadSql } from '../../platform/postgres/index.js';
import { LEARNS_DAYS, type Detection } from '../detection.js';
import { bySql, lookBack, prepared } from '../fresh.js';

const SQL = prepared('second-hop', loadSql(import.meta.url, 'second-hop.sql'), 4);
const USERS = 3;

export const secondHop: Detection = {
  kind: 'second-hop',
  severity: 'medium',
  means:
    'A client traded a token for one to a resource that its user had never used: an agent goes further than it was sent.',
  next: 'Ask the user. Stop the client for the user at that resource if nobody wanted it.',
  looks: `Uses of a token that another one was exchanged for, at a resource where the user was on no day before, nor that day in another way, through a client that brought fewer than ${USERS} others so where they had not been, from day ${LEARNS_DAYS} of the ledger on.`,
  stop: [['user', 'client', 'resource']],
  see: 'access',
  says: ({ client, resource, user }) =>
    `${client} traded a token of ${user} for one to ${resource}, where ${user} had never been.`,
  find: bySql(SQL, (step) => [lookBack(step), USERS, step.learnsDays * 86_400, ...step.hops]),
};
