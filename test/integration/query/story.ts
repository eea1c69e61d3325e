import { say, sha256, T, type Said } from './history.js';

/*
 * Two users, two clients of which one is an agent, two resource applications. Written down once, event by event; every expected
 * answer of the specs was worked out from this page by hand.
 */
export const IDP = 'https://idp.example';
export const CRM_AS = 'https://auth.crm.example';
export const WIKI_AS = 'https://auth.wiki.example';
export const CRM = 'https://crm.example/api';
export const WIKI = 'https://wiki.example/api';
export const AGENT = { id: 'agent-7', type: 'support' };
export const T2_TEXT = 'opaque-token-of-bob';

const crmAlice = {
  iss: IDP,
  jti: 'j1',
  sub: 'alice',
  tenant: 'acme',
  client_id: 'assistant-at-crm',
  iat: T + 10,
  exp: T + 310,
  agent: AGENT,
};

/** Batches: what stands in one is written in one transaction. The number before each is its index. */
export const STORY: readonly (readonly Said[])[] = [
  [
    /* 0 */ say('idp', 'connection.created', T, {
      iss: IDP,
      tenant: 'acme',
      idp_client_id: 'assistant',
      aud: [CRM_AS],
      client_id: 'assistant-at-crm',
      resource: [CRM],
      scope: 'contacts.read contacts.write',
      agent: AGENT,
    }),
    /* 1 */ say('idp', 'id-jag.issued', T + 10, {
      ...crmAlice,
      idp_client_id: 'assistant',
      aud: [CRM_AS],
      resource: [CRM],
      scope: 'contacts.read contacts.write',
    }),
  ],
  [
    /* 2 */ say('crm', 'token.issued', T + 20, {
      kind: 'access',
      iss: CRM_AS,
      jti: 't1',
      sub: 'crm-alice',
      client_id: 'assistant-at-crm',
      aud: [CRM],
      scope: 'contacts.read contacts.write',
      iat: T + 20,
      exp: T + 620,
      id_jag: crmAlice,
    }),
    /* 3 */ say('crm', 'access.allowed', T + 30, {
      token: { iss: CRM_AS, jti: 't1' },
      operation: 'read',
      route: '/contacts/{id}',
      path: '/contacts/9',
      scope: 'contacts.read',
      status: 200,
      records: 1,
      bytes: 512,
      client_address: '203.0.113.7',
    }),
    /* 4 */ say('crm', 'access.denied', T + 40, {
      token: { iss: CRM_AS, jti: 't1' },
      operation: 'delete',
      route: '/contacts/{id}',
      status: 403,
    }),
    /* 5, before anybody said whose token it is */ say('wiki', 'access.allowed', T + 35, {
      token: { sha256: sha256(T2_TEXT) },
      operation: 'read',
      route: 'search',
      scope: 'pages.read',
      status: 200,
      records: 7,
    }),
  ],
  [
    /* 6 */ say('idp', 'id-jag.issued', T + 25, {
      iss: IDP,
      jti: 'j2',
      sub: 'bob',
      tenant: 'acme',
      client_id: 'assistant-at-wiki',
      idp_client_id: 'assistant',
      aud: [WIKI_AS],
      resource: [WIKI],
      scope: 'pages.read pages.write',
      iat: T + 25,
      exp: T + 325,
      agent: AGENT,
    }),
  ],
  [
    /* 7 */ say('wiki', 'token.issued', T + 26, {
      kind: 'access',
      iss: WIKI_AS,
      sha256: sha256(T2_TEXT),
      client_id: 'assistant-at-wiki',
      aud: [WIKI],
      scope: 'pages.read pages.write',
      iat: T + 26,
      exp: T + 626,
      id_jag: { iss: IDP, jti: 'j2' },
    }),
    /* 8 */ say('wiki', 'access.summary', T + 120, {
      token: { sha256: sha256(T2_TEXT) },
      operation: 'read',
      route: 'search',
      scope: 'pages.read',
      outcome: 'allowed',
      count: 40,
      from: T + 60,
      to: T + 119,
    }),
  ],
  [
    /* 9 */ say('idp', 'id-jag.issued', T + 50, {
      iss: IDP,
      jti: 'j3',
      sub: 'bob',
      tenant: 'acme',
      client_id: 'mailer-at-crm',
      idp_client_id: 'mailer',
      aud: [CRM_AS],
      resource: [CRM],
      scope: 'contacts.read',
      iat: T + 50,
      exp: T + 350,
    }),
    /* 10 */ say('crm', 'token.issued', T + 60, {
      kind: 'access',
      iss: CRM_AS,
      jti: 't3',
      client_id: 'mailer-at-crm',
      aud: [CRM],
      scope: 'contacts.read',
      iat: T + 60,
      exp: T + 660,
      id_jag: { iss: IDP, jti: 'j3', sub: 'bob', tenant: 'acme', client_id: 'mailer-at-crm', iat: T + 50 },
    }),
    /* 11, of a token that nobody has issued */ say('crm', 'access.allowed', T + 70, {
      token: { iss: CRM_AS, jti: 'nobody-knows' },
      operation: 'write',
      route: '/contacts',
      scope: 'contacts.write',
      status: 201,
    }),
  ],
  [
    /* 12 */ say('idp', 'connection.deleted', T + 200, {
      iss: IDP,
      tenant: 'acme',
      idp_client_id: 'mailer',
      aud: [CRM_AS],
      client_id: 'mailer-at-crm',
      resource: [CRM],
      scope: 'contacts.read',
    }),
    /* 13 */ say('idp', 'user.disabled', T + 210, { iss: IDP, tenant: 'acme', sub: 'bob' }),
    /* 14, a later hop from t1, and from one that no event has named */ say('crm', 'token.issued', T + 220, {
      kind: 'access',
      iss: CRM_AS,
      jti: 't4',
      sub: 'crm-alice',
      client_id: 'assistant-at-crm',
      aud: [CRM],
      scope: 'contacts.read',
      iat: T + 220,
      exp: T + 520,
      parent: { iss: CRM_AS, jti: 't1' },
      id_jag: { iss: IDP, jti: 'j-unseen', sub: 'alice', tenant: 'acme' },
    }),
    /* globex 0 */ say('globex', 'token.issued', T + 20, {
      kind: 'access',
      iss: CRM_AS,
      jti: 't1',
      sub: 'somebody',
      client_id: 'assistant-at-crm',
      aud: [CRM],
      scope: 'contacts.read',
      iat: T + 20,
      exp: T + 620,
    }),
  ],
];
