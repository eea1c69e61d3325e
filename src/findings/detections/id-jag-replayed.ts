import { loadSql } from '../../platform/postgres/index.js';
import type { Detection } from '../detection.js';
import { bySql, prepared } from '../fresh.js';

const SQL = prepared('id-jag-replayed', loadSql(import.meta.url, 'id-jag-replayed.sql'));

export const idJagReplayed: Detection = {
  kind: 'id-jag-replayed',
  severity: 'high',
  means:
    'An ID-JAG was presented a second time: somebody has a copy of it, or an authorization server takes one twice.',
  next: 'Find out who presented it. Stop the user’s tokens of that client.',
  looks:
    'A second access token of one ID-JAG without a refresh token; presentations that an authorization server refused as a replay.',
  stop: [['user', 'client']],
  see: 'entries',
  says: ({ count, client, user, details }) =>
    details['how'] === 'accepted'
      ? `${client} got ${count} further tokens of one ID-JAG for ${user}.`
      : `An ID-JAG was presented again and refused, ${count} times.`,
  find: bySql(SQL),
};
