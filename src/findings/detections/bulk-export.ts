import { loadSql } from '../../platform/postgres/index.js';
import { LEARNS_DAYS, type Detection } from '../detection.js';
import { bySql, lookBack, prepared } from '../fresh.js';

const SQL = prepared('bulk-export', loadSql(import.meta.url, 'bulk-export.sql'), 9);
const LEAST_RECORDS = 5_000;
/** A job at the end of a month reads some times of what it reads every night. */
const TIMES_OWN = 6;
const TIMES_OTHERS = 10;
const DAYS = 21;

export const bulkExport: Detection = {
  kind: 'bulk-export',
  severity: 'high',
  means: 'A client read far more for a user in a day than it does on others: data may be leaving.',
  next: 'Ask the user and the owner of the client. If nobody knows why, stop the client for the user, and look at what was read.',
  looks: `At least ${LEAST_RECORDS} records of a user, client and resource in a day, and ${TIMES_OWN} times what they read on nine of ten of their days in the last ${DAYS}, and on the same weekday; of a pair with fewer than two such days, ${TIMES_OTHERS} times what nine of ten users and clients read there on their largest day. From day ${LEARNS_DAYS} of the ledger on.`,
  stop: [['user', 'client']],
  see: 'access',
  says: ({ client, user, resource, details }) =>
    `${client} read ${String(details['records'])} records of ${resource} for ${user} on ${String(details['day'])}, where ${String(details['usual'])} are usual.`,
  find: bySql(SQL, (step) => [LEAST_RECORDS, TIMES_OWN, TIMES_OTHERS, DAYS, step.learnsDays, lookBack(step)]),
};
