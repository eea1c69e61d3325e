import { ACME, say, sha256, type Said } from './history.js';
import { AGENT, CRM, CRM_AS, IDP, WIKI, WIKI_AS } from './story.js';

/** Within the last hour of the host's clock, by which entries arrive; tokens are good for a day after it. */
export const W = Math.floor(Date.now() / 1000) - 3_600;
export const T2 = 'opaque-token-of-bob';
export const R1 = '20000000-0000-4000-8000-0000000000b1';
export const BOB = { iss: IDP, tenant: 'acme', sub: 'bob' };

/** One client, two users, two resources. Lineage of bob's token comes after its first use. The number before each is its index. */
export const BEFORE_RULE: readonly (readonly Said[])[] = [
  [
    /* 0 */ say('idp', 'id-jag.issued', W, {
      iss: IDP,
      jti: 'j1',
      sub: 'alice',
      tenant: 'acme',
      client_id: 'assistant-at-crm',
      idp_client_id: 'assistant',
      aud: [CRM_AS],
      resource: [CRM],
      scope: 'contacts.read contacts.write',
      iat: W,
      exp: W + 300,
      agent: AGENT,
    }),
    /* 1 */ say('crm', 'token.issued', W + 5, {
      kind: 'access',
      iss: CRM_AS,
      jti: 't1',
      client_id: 'assistant-at-crm',
      aud: [CRM],
      scope: 'contacts.read',
      iat: W + 5,
      exp: W + 90_000,
      id_jag: { iss: IDP, jti: 'j1' },
    }),
    /* 2 */ say('crm', 'access.allowed', W + 10, {
      token: { iss: CRM_AS, jti: 't1' },
      operation: 'read',
      scope: 'contacts.read',
      status: 200,
      records: 1,
      bytes: 512,
    }),
    /* 3 */ say('crm', 'access.denied', W + 12, {
      token: { iss: CRM_AS, jti: 't1' },
      operation: 'delete',
      status: 403,
    }),
    /* 4, before anybody said whose token it is */ say('wiki', 'access.allowed', W + 20, {
      token: { sha256: sha256(T2) },
      operation: 'read',
      scope: 'pages.read',
      status: 200,
      records: 7,
    }),
    /* 5 */ say('idp', 'id-jag.issued', W + 2, {
      iss: IDP,
      jti: 'j2',
      sub: 'bob',
      tenant: 'acme',
      client_id: 'assistant-at-wiki',
      idp_client_id: 'assistant',
      aud: [WIKI_AS],
      resource: [WIKI],
      scope: 'pages.read',
      iat: W + 2,
      exp: W + 302,
      agent: AGENT,
    }),
  ],
  [
    /* 6 */ say('wiki', 'token.issued', W + 6, {
      kind: 'access',
      iss: WIKI_AS,
      sha256: sha256(T2),
      client_id: 'assistant-at-wiki',
      aud: [WIKI],
      scope: 'pages.read',
      iat: W + 6,
      exp: W + 90_000,
      id_jag: { iss: IDP, jti: 'j2' },
    }),
  ],
  [
    /* 7 */ say('wiki', 'access.summary', W + 60, {
      token: { sha256: sha256(T2) },
      operation: 'export',
      outcome: 'allowed',
      count: 40,
      records: 400,
      bytes: 9_000,
      from: W + 30,
      to: W + 60,
    }),
  ],
];

/* 8 */
export const RULE_1 = {
  rule: R1,
  seq: '900',
  effect: 'block',
  selector: { user: BOB },
  reauthenticate: false,
  reason: '=bulk export',
  author: { caller: 'acme-revoke', on_behalf_of: 'eve' },
} as const;

/* 9, 10 */
export const AFTER_RULE: readonly Said[] = [
  say('wiki', 'access.denied', W + 110, { token: { sha256: sha256(T2) }, operation: 'export', status: 401 }),
  say('wiki', 'access.allowed', W + 111, {
    token: { sha256: sha256(T2) },
    operation: 'read',
    status: 200,
    records: 2,
    bytes: 64,
  }),
];
export { ACME };
