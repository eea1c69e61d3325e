import { loadSql } from '../../platform/postgres/index.js';
import type { Detection } from '../detection.js';
import { bySql, prepared } from '../fresh.js';

const SQL = prepared('scopes-grew', loadSql(import.meta.url, 'scopes-grew.sql'));
const DAYS = 3;
/** It is usual if so many others began so in so many days. */
const OTHERS = 5;
const OTHER_DAYS = 14;
const DAY_S = 86_400;

export const scopesGrew: Detection = {
  kind: 'scopes-grew',
  severity: 'medium',
  means: 'A client does or may do more at a resource than it did or was first approved for.',
  next: 'Ask who approved it and why; take back what is not needed.',
  looks: `An approval that adds scopes to a connection, and the first use of a scope that was added so; the first deletion, export or administration with a scope by a client that has used others at the resource for ${DAYS} days, or the first use of any scope so at a resource that the directory tags sensitive, if fewer than ${OTHERS} others began so in ${OTHER_DAYS} days.`,
  stop: [['client', 'resource']],
  see: 'changes',
  says: ({ client, resource, details: { how, added, used, days } }) =>
    how === 'first used'
      ? `${client} used ${String(used)} at ${resource} for the first time, after ${String(days)} days there without.`
      : `${client} was approved for ${String(added)} at ${resource}, beside what it had${used === undefined ? '' : `, and used ${String(used)}`}.`,
  find: bySql(SQL, () => [DAYS * DAY_S, OTHER_DAYS * DAY_S, OTHERS]),
};
