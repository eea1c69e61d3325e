import { loadSql } from '../../platform/postgres/index.js';
import type { Detection } from '../detection.js';
import { bySql, prepared } from '../fresh.js';

const SQL = prepared('issued-while-disabled', loadSql(import.meta.url, 'issued-while-disabled.sql'));
/** Clocks of the sources may differ so much. */
const GRACE_MS = 5_000;

export const issuedWhileDisabled: Detection = {
  kind: 'issued-while-disabled',
  severity: 'high',
  means: 'The identity provider or an authorization server issued something for a user who was disabled.',
  next: 'Block the user, and ask whoever runs the issuer why the account could still sign in.',
  looks: `ID-JAGs and tokens whose \`iat\` is more than ${GRACE_MS / 1_000} s after the IdP disabled their user, before it enabled the user again.`,
  stop: [['user']],
  see: 'access',
  says: ({ count, user, client, details }) =>
    `${client} got ${count} ID-JAGs or tokens for ${user}, who was disabled at ${String(details['disabled_at'])}.`,
  find: bySql(SQL, () => [GRACE_MS]),
};
