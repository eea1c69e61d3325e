import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import {
  SOURCE_EVENT_NAMES,
  EVENT_NAMES,
  eventSchema,
  eventType,
  validateEventData,
  type EventName,
} from '../index.js';

const valid = (name: EventName): Record<string, unknown> =>
  (
    JSON.parse(readFileSync(new URL(`../samples/${eventType(name)}.json`, import.meta.url), 'utf8')) as {
      data: Record<string, unknown>;
    }
  ).data;

const REQUIRED: Readonly<Record<EventName, readonly string[]>> = {
  'id-jag.issued': ['iss', 'jti', 'sub', 'client_id', 'idp_client_id', 'aud', 'iat', 'exp'],
  'id-jag.denied': ['iss', 'idp_client_id', 'aud', 'error'],
  'token.issued': ['kind', 'iss', 'client_id', 'aud', 'iat'],
  'token.denied': ['iss', 'id_jag', 'error'],
  'token.revoked': ['iss'],
  'access.allowed': ['token', 'operation'],
  'access.denied': ['token', 'operation'],
  'access.summary': ['token', 'operation', 'outcome', 'count', 'from', 'to'],
  'session.ended': ['iss', 'sub'],
  'user.disabled': ['iss', 'sub'],
  'user.enabled': ['iss', 'sub'],
  'client.disabled': ['iss', 'idp_client_id', 'ras'],
  'client.enabled': ['iss', 'idp_client_id', 'ras'],
  'connection.created': ['iss', 'idp_client_id', 'aud', 'client_id', 'resource', 'scope'],
  'connection.updated': ['iss', 'idp_client_id', 'aud', 'client_id', 'resource', 'scope'],
  'connection.deleted': ['iss', 'idp_client_id', 'aud', 'client_id', 'resource', 'scope'],
  'revocation.ordered': ['rule', 'seq', 'effect', 'selector', 'reauthenticate', 'reason', 'author'],
  'revocation.lifted': ['rule', 'seq', 'at', 'resume', 'author'],
  'source.changed': ['id', 'seq', 'change', 'author', 'after'],
  'caller.changed': ['id', 'seq', 'change', 'author', 'after'],
  'tenant.changed': ['id', 'seq', 'change', 'author', 'after'],
  'introspection.counted': ['caller', 'token', 'count', 'active', 'from', 'to'],
  'token.seen': ['source', 'iss', 'client_id', 'aud', 'iat', 'exp'],
  'log.gap': ['topic', 'partition', 'from_offset', 'to_offset', 'reason'],
  'finding.changed': ['finding', 'nth', 'kind', 'about', 'state', 'read', 'author'],
  'detection.changed': ['kind', 'nth', 'action', 'cap', 'author'],
  'key.used': ['caller', 'network', 'first', 'shared'],
  'ledger.continued': ['origin', 'last', 'kept', 'reason'],
  'log-key.changed': ['origin', 'from', 'to', 'until', 'reason'],
  'person.erased': ['erasure', 'person', 'below', 'entries', 'reason', 'author'],
};

const members = (name: EventName): string[] =>
  Object.keys((eventSchema(name) as { properties: { data: { properties: object } } }).properties.data.properties);

describe('a missing member', () => {
  const rows = EVENT_NAMES.flatMap((name) => REQUIRED[name].map((member) => [name, member] as const));
  it.each(rows)('%s without %s', (name, member) => {
    const { [member]: _removed, ...rest } = valid(name);
    expect(validateEventData(name, rest)).toEqual({ code: 'invalid-data', path: '', message: `missing \`${member}\`` });
  });

  it.each(EVENT_NAMES)('%s needs no others', (name) => {
    const identity = ['jti', 'sha256', 'signing_input_sha256', ...(name === 'token.issued' ? ['exp'] : [])];
    const optional = members(name).filter((member) => !REQUIRED[name].includes(member) && !identity.includes(member));
    const data = valid(name);
    for (const member of optional) delete data[member];
    expect(validateEventData(name, data)).toBeUndefined();
  });
});

describe('a mistyped member', () => {
  const rows = EVENT_NAMES.flatMap((name) => Object.keys(valid(name)).map((member) => [name, member] as const));
  it.each(rows)('%s with %s null', (name, member) => {
    expect(validateEventData(name, { ...valid(name), [member]: null })?.path).toBe(`/${member}`);
  });
});

describe('what the sentence says', () => {
  it.each<[EventName, Record<string, unknown>, string, string]>([
    ['id-jag.issued', { clientId: 'x' }, '', 'unknown member `clientId`'],
    ['id-jag.issued', { iat: '1790000000' }, '/iat', '/iat must be integer'],
    ['id-jag.issued', { iat: 1790000000.5 }, '/iat', '/iat must be integer'],
    ['id-jag.issued', { aud: 'https://login.chat.example' }, '/aud', '/aud must be array'],
    [
      'id-jag.issued',
      { sha256: 'abc' },
      '/sha256',
      '/sha256 must be SHA-256, base64url without padding, whose last character has its two unused bits zero',
    ],
    ['id-jag.issued', { agent: {} }, '/agent', '/agent must not have fewer than 1 properties'],
    ['id-jag.issued', { parent: { iss: 'a' } }, '/parent', '/parent must have exactly one of {iss, jti} and {sha256}'],
    [
      'token.issued',
      { sha256: 'A'.repeat(43) },
      '',
      'data must have exactly one of jti, sha256 and signing_input_sha256',
    ],
    ['token.issued', { jti: undefined }, '', 'data must have exactly one of jti, sha256 and signing_input_sha256'],
    ['token.issued', { kind: 'id' }, '/kind', '/kind must be one of access, refresh'],
    ['token.issued', { id_jag: { iss: 'a' } }, '/id_jag', '/id_jag must have iss, and jti, sha256 or sub'],
    ['token.issued', { id_jag: { jti: 'a' } }, '/id_jag', 'missing `iss` in /id_jag'],
    [
      'access.allowed',
      { token: { iss: 'a', jti: 'b', sha256: 'A'.repeat(43) } },
      '/token',
      '/token must have exactly one of {iss, jti}, {sha256} and {signing_input_sha256}',
    ],
    [
      'access.allowed',
      { operation: 'delete-all' },
      '/operation',
      '/operation must be one of read, write, delete, export, admin',
    ],
    ['revocation.ordered', { seq: 41 }, '/seq', '/seq must be string'],
  ])('%s with %p', (name, change, path, message) => {
    const data = JSON.parse(JSON.stringify({ ...valid(name), ...change })) as unknown;
    expect(validateEventData(name, data)).toEqual({ code: 'invalid-data', path, message });
  });

  it.each([[[]], [null], ['x'], [1], [undefined]])('data that is %p', (data) => {
    expect(validateEventData('session.ended', data)).toMatchObject({ path: '', message: 'data must be object' });
  });

  it('never repeats a value, and shortens the name of an unknown member', () => {
    const secret = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ1In0.c2ln';
    for (const change of [{ iat: secret }, { operation: secret }, { sha256: secret }, { act: { act: secret } }]) {
      expect(validateEventData('id-jag.issued', { ...valid('id-jag.issued'), ...change })?.message).not.toContain(
        secret,
      );
    }
    expect(
      validateEventData('session.ended', { ...valid('session.ended'), ['n'.repeat(500)]: 1 })?.message.length,
    ).toBeLessThan(100);
  });
});

describe('bounds', () => {
  const issued = (change: Record<string, unknown>) =>
    validateEventData('id-jag.issued', { ...valid('id-jag.issued'), ...change });
  const scopes = (count: number): string => Array.from({ length: count }, (_, n) => `s${n}`).join(' ');
  const actor = (depth: number): object => (depth === 1 ? { sub: 'a' } : { sub: 'a', act: actor(depth - 1) });

  it.each<[string, Record<string, unknown>]>([
    ['the first second of 2000', { iat: 946_684_800 }],
    ['the first second of 2100', { exp: 4_102_444_800 }],
    ['512 characters', { sub: 'a'.repeat(512) }],
    ['eight audiences', { aud: [...'abcdefgh'] }],
    ['no resource', { resource: [] }],
    ['no scope granted', { scope: '' }],
    ['a hundred scopes', { scope: scopes(100) }],
    ['a scope of 256 characters', { scope: 'a'.repeat(256) }],
    ['eight actors', { act: actor(8) }],
    ['an actor with claims of its issuer', { act: { sub: 'a', sub_profile: 'ai_agent' } }],
    ['a certificate confirmation', { cnf: { 'x5t#S256': 'A'.repeat(43) } }],
  ])('%s is accepted', (_what, change) => expect(issued(change)).toBeUndefined());

  it.each<[string, Record<string, unknown>, string]>([
    ['the last second of 1999', { iat: 946_684_799 }, 'time-out-of-range'],
    ['after 2100', { exp: 4_102_444_801 }, 'time-out-of-range'],
    ['milliseconds', { iat: 1_790_000_000_000 }, 'time-out-of-range'],
    ['513 characters', { sub: 'a'.repeat(513) }, 'identifier-too-long'],
    ['an empty identifier', { sub: '' }, 'invalid-data'],
    ['nine audiences', { aud: [...'abcdefghi'] }, 'invalid-data'],
    ['no audience', { aud: [] }, 'invalid-data'],
    ['one audience twice', { aud: ['a', 'a'] }, 'invalid-data'],
    ['nine actors', { act: actor(9) }, 'invalid-data'],
    ['a digest in another spelling', { sha256: `${'A'.repeat(42)}B` }, 'invalid-data'],
    ['a padded digest', { sha256: `${'A'.repeat(43)}=` }, 'invalid-data'],
    ['a confirmation of another kind', { cnf: { jwk: {} } }, 'invalid-data'],
    ['a quote in a scope', { scope: 'a"b' }, 'invalid-scope'],
    ['two spaces between scopes', { scope: 'a  b' }, 'invalid-scope'],
    ['a hundred and one scopes', { scope: scopes(101) }, 'invalid-scope'],
    ['a scope of 257 characters', { scope: `read ${'a'.repeat(257)}` }, 'invalid-scope'],
    [
      '4,097 characters of scopes',
      { scope: `${`${'a'.repeat(255)} `.repeat(16)}a`.padEnd(4_097, 'b') },
      'invalid-scope',
    ],
  ])('%s is refused', (_what, change, code) => expect(issued(change)?.code).toBe(code));

  it('says how many scopes may stand in one event, and how long each may be', () => {
    expect(issued({ scope: scopes(101) })?.message).toBe(
      '/scope must be at most 100 scopes, each of at most 256 characters, separated by single spaces',
    );
  });

  it('a refresh token needs no exp, an access token does', () => {
    const { exp: _exp, ...rest } = valid('token.issued');
    expect(validateEventData('token.issued', { ...rest, kind: 'refresh' })).toBeUndefined();
    expect(validateEventData('token.issued', rest)?.message).toBe('missing `exp`');
  });

  it.each(['jti', 'sha256', 'signing_input_sha256'])('a token may be identified by %s alone', (member) => {
    const { jti: _jti, ...rest } = valid('token.issued');
    expect(validateEventData('token.issued', { ...rest, [member]: 'A'.repeat(43) })).toBeUndefined();
  });

  it.each(SOURCE_EVENT_NAMES.map((name) => [name]))('%s takes a sequence', (name) => {
    expect(validateEventData(name, { ...valid(name), sequence: 0 })).toBeUndefined();
    expect(validateEventData(name, { ...valid(name), sequence: -1 })?.path).toBe('/sequence');
  });

  it.each(['secret', 'secrets', 'client_secret', 'key', 'keys', 'jwks', 'private_key', 'd'])(
    'a registry event cannot carry `%s`',
    (member) => {
      expect(
        validateEventData('caller.changed', { ...valid('caller.changed'), after: { [member]: 'x' } }),
      ).toMatchObject({ code: 'invalid-data' });
    },
  );
});
