import { loadSql } from '../../platform/postgres/index.js';
import { LEARNS_DAYS, type Detection, type Shown } from '../detection.js';
import { bySql, prepared } from '../fresh.js';

const SQL = prepared('administration', loadSql(import.meta.url, 'administration.sql'));

const SAYS: Readonly<Record<string, (details: Shown['details']) => string>> = {
  admin: ({ by, caller }) => `${String(by)} made ${String(caller)} an administrator.`,
  all: ({ by }) => `${String(by)} ordered a rule on everything.`,
  anchor: ({ kept, signed }) =>
    `The ledger goes on from ${String(kept)} entries, although a checkpoint of ${String(signed)} was signed: an old backup was restored.`,
  'log-key': ({ to }) => `The key that signs the ledger was changed to ${String(to)}.`,
  lost: ({ topic }) => `Records of ${String(topic)} were lost.`,
  key: ({ caller, key, network }) =>
    `Key ${String(key)} of ${String(caller)} was used from ${String(network)}, where no caller was before.`,
  person: ({ person, network }) =>
    `${(person as { readonly sub: string }).sub} used Rescind from ${String(network)}, where no caller was before.`,
};

export const administration: Detection = {
  kind: 'administration',
  severity: 'high',
  means:
    'Somebody changed who rules Rescind or the key of the ledger, stopped everything, used Rescind from a new network, or entries were lost.',
  next: 'Check that it was meant. Replace a key that somebody else may have: `rescind caller add-secret <caller>`, then `rescind caller remove-secret <caller> <key>`; or stop the caller at once: `rescind caller disable <caller>`. If it is a person, ask them, and order a rule on the user if it was somebody else: it ends their sessions.',
  looks: `A caller with the role admin that another one created or changed; a rule on everything; records of a topic that were gone before they were read; a ledger that goes on although a signed checkpoint covers entries that it lost; another key that signs the ledger; from day ${LEARNS_DAYS} of the ledger on, a caller or a person that may audit, revoke or administer in a network (/24 of IPv4, /48 of IPv6) in which no caller of the tenant was before, after its own first network.`,
  stop: [],
  see: 'entries',
  networks: { network: 'a network' },
  says: ({ details }) => SAYS[String(details['how'])]!(details),
  find: bySql(SQL, ({ learnsDays }) => [learnsDays]),
};
