import { loadSql } from '../../platform/postgres/index.js';
import type { Detection } from '../detection.js';
import { bySql, prepared } from '../fresh.js';

const SQL = prepared('token-of-another-client', loadSql(import.meta.url, 'token-of-another-client.sql'));

export const tokenOfAnotherClient: Detection = {
  kind: 'token-of-another-client',
  severity: 'high',
  means:
    'A client holds a token that was made of an ID-JAG for another client: the authorization server does not check whom an ID-JAG is for.',
  next: 'Stop the client there, and have the authorization server fixed.',
  looks: 'Tokens whose client is not the one that their ID-JAG names.',
  stop: [['client']],
  see: 'access',
  says: ({ count, client, user, details }) =>
    `${client} got ${count} tokens of ID-JAGs that were issued to ${String(details['issued_to'])}, the last one for ${user}.`,
  find: bySql(SQL),
};
