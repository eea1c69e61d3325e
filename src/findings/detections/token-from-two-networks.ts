import { loadSql } from '../../platform/postgres/index.js';
import type { Detection } from '../detection.js';
import { bySql, lookBack, prepared } from '../fresh.js';

const SQL = prepared('token-from-two-networks', loadSql(import.meta.url, 'token-from-two-networks.sql'), 4);

export const tokenFromTwoNetworks: Detection = {
  kind: 'token-from-two-networks',
  severity: 'high',
  means: 'One access token was used from two networks in turns: somebody else has a copy of it.',
  next: 'Stop the token, then ask the owner of the client where it runs; look at what was read from the network that is not its own.',
  looks:
    'Uses of one token from two networks (/16 of IPv4, /32 of IPv6; each family by itself) that come back to the first one, or any second network if an agent holds the token.',
  stop: [['token']],
  see: 'token',
  says: ({ count, client, user, details }) =>
    `A token of ${client} for ${user} was used from ${String(details['there'])} beside ${String(details['here'])} (${count} uses from there).`,
  find: bySql(SQL, (step) => [lookBack(step)]),
};
