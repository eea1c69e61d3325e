import { loadSql } from '../../platform/postgres/index.js';
import type { Detection } from '../detection.js';
import { bySql, lookBack, prepared } from '../fresh.js';

const SQL = prepared('token-from-two-networks', loadSql(import.meta.url, 'token-from-two-networks.sql'), 4);
/** Somebody who goes to a place where nobody of the organisation ever was needs longer. */
const TRAVEL_S = 900;
/** A network that was seen so long ago is no new one. */
const KNOWN_S = 900;
const FIRST_DAYS = 1;

export const tokenFromTwoNetworks: Detection = {
  kind: 'token-from-two-networks',
  severity: 'high',
  means: 'One access token was used from two networks: somebody else has a copy of it.',
  next: 'Stop the token, then ask the owner of the client where it runs; look at what was read from the network that is not its own.',
  looks: `Uses of one token from two networks (/16 of IPv4, /32 of IPv6; each family by itself): any second network if an agent holds the token; else one that nobody of the organisation was in before (/24, /48), if the first one is used again, or was used in the ${TRAVEL_S / 60} minutes before (from day ${FIRST_DAYS} of the ledger on).`,
  stop: [['token']],
  see: 'token',
  networks: { there: 'a second network', here: 'its own' },
  says: ({ count, client, user, details }) =>
    `A token of ${client} for ${user} was used from ${String(details['there'])} beside ${String(details['here'])} (${count} uses from there).`,
  find: bySql(SQL, (step) => [lookBack(step), TRAVEL_S, KNOWN_S, Math.min(FIRST_DAYS, step.learnsDays)]),
};
