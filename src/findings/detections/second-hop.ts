import { loadSql } from '../../platform/postgres/index.js';
import { LEARNS_DAYS, type Detection } from '../detection.js';
import { bySql, prepared } from '../fresh.js';

const SQL = prepared('second-hop', loadSql(import.meta.url, 'second-hop.sql'));
const USERS = 3;

export const secondHop: Detection = {
  kind: 'second-hop',
  severity: 'medium',
  means:
    'A client traded a token for one to a resource that its user had never used: an agent goes further than it was sent.',
  next: 'Ask the user. Stop the client at that resource if nobody wanted it.',
  looks: `Uses of a token that another one was exchanged for, at a resource where the user was on no day before, through a client that went further for fewer than ${USERS} others, from day ${LEARNS_DAYS} of the ledger on.`,
  stop: [['client', 'resource']],
  see: 'access',
  says: ({ client, resource, user }) =>
    `${client} traded a token of ${user} for one to ${resource}, where ${user} had never been.`,
  find: bySql(SQL, ({ learnsDays }) => [USERS, learnsDays * 86_400]),
};
