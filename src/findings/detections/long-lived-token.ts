import { loadSql } from '../../platform/postgres/index.js';
import type { Detection } from '../detection.js';
import { bySql, prepared } from '../fresh.js';

const SQL = prepared('long-lived-token', loadSql(import.meta.url, 'long-lived-token.sql'));
const HOURS = 24;

export const longLivedToken: Detection = {
  kind: 'long-lived-token',
  severity: 'low',
  means: 'Access tokens of this client live so long that a copy of one is of use for days.',
  next: 'Shorten the lifetime at the authorization server.',
  looks: `Access tokens of over ${HOURS} hours, or without an end.`,
  stop: [['client']],
  see: 'access',
  says: ({ count, client, details }) =>
    `${client} got ${count} access tokens that live ${details['hours'] === null ? 'for ever' : `up to ${String(details['hours'])} hours`}.`,
  find: bySql(SQL, () => [HOURS * 3_600]),
};
