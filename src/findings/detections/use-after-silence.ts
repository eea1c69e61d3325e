import { loadSql } from '../../platform/postgres/index.js';
import type { Detection } from '../detection.js';
import { bySql, prepared } from '../fresh.js';

const SQL = prepared('use-after-silence', loadSql(import.meta.url, 'use-after-silence.sql'));
const DAYS = 6;
const RECORDS = 500;
const DAYS_OF_USE = 4;

export const useAfterSilence: Detection = {
  kind: 'use-after-silence',
  severity: 'medium',
  means: 'Something that nobody used for days is in use again: forgotten access is what thieves look for.',
  next: 'Ask the owner of the client. Take the access back if nobody needs it.',
  looks: `A use of a client at a resource after ${DAYS} days without any, where it had been on ${DAYS_OF_USE} days and on every other one; or a first use so long after the approval that reads ${RECORDS} records in a day.`,
  stop: [['client', 'resource']],
  see: 'access',
  says: ({ client, resource, user, details }) =>
    details['never_used'] === true
      ? `${client} was approved for ${resource} ${String(details['days'])} days before its first use, for ${user}.`
      : `${client} used ${resource} for ${user} after ${String(details['days'])} days of silence.`,
  find: bySql(SQL, () => [DAYS, RECORDS, DAYS_OF_USE]),
};
