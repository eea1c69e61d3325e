import { loadSql } from '../../platform/postgres/index.js';
import type { Detection } from '../detection.js';
import { bySql, lookBack, prepared } from '../fresh.js';

const SQL = prepared('refusals', loadSql(import.meta.url, 'refusals.sql'), 7);
const BURST = 10;
const WINDOW_S = 1_200;
const RESOURCES = 4;
const FIRST_DAYS = 1;

export const refusals: Detection = {
  kind: 'refusals',
  severity: 'medium',
  means: 'Somebody tries what is not allowed: a client that probes, or one that was misconfigured.',
  next: 'Look at which routes were tried. Stop the client for the user if its owner does not know why.',
  looks: `At least ${BURST} refusals of a user through a client in ${WINDOW_S / 60} minutes, more than were allowed, and three times the most of any day in the last 21; or refusals at ${RESOURCES} resources within an hour, and twice as many as on any of those days. ID-JAGs and tokens that were refused count too. From day ${FIRST_DAYS} of the ledger on.`,
  stop: [['user', 'client'], ['token']],
  see: 'access',
  says: ({ count, client, user, resource, details }) =>
    `${client} was refused ${count} times for ${user}, at ${Number(details['resources']) > 1 ? `${String(details['resources'])} resources` : resource}.`,
  find: bySql(SQL, (step) => [BURST, WINDOW_S, RESOURCES, lookBack(step), Math.min(FIRST_DAYS, step.learnsDays)]),
};
