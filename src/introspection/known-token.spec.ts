import { describe, expect, it } from '@jest/globals';
import { audienceOf, statementOf } from './known-token.js';

const said = { iss: 'https://ras.example', client_id: 'wiki', jti: 'j', sub: 'u', exp: 1_790_000_000, aud: ['a', 'b'], scope: 'read write', cnf: { jkt: 'k' } };

describe('what a text and its facts both say', () => {
  it.each<[string, object]>([
    ['scopes in another order', { scope: 'write read' }],
    ['audiences in another order', { aud: ['b', 'a'] }],
    ['a member that is not compared', { act: { sub: 'agent' }, iat: 1 }],
  ])('is the same with %s', (_, over) => {
    expect(statementOf({ ...said, ...over })).toBe(statementOf(said));
  });

  it.each<[string, object, object]>([
    ['one audience as a text or as a list', { aud: 'a' }, { aud: ['a'] }],
    ['no scope or an empty one', { scope: undefined }, { scope: '' }],
  ])('is the same for %s', (_, one, other) => {
    expect(statementOf({ ...said, ...one })).toBe(statementOf({ ...said, ...other }));
  });

  it.each<[string, object]>([
    ['issuer', { iss: 'https://other.example' }],
    ['client', { client_id: 'chat' }],
    ['id', { jti: 'k' }],
    ['id, which is missing', { jti: undefined }],
    ['user', { sub: 'v' }],
    ['user, who is missing', { sub: undefined }],
    ['end', { exp: 1_790_000_001 }],
    ['end, which is missing', { exp: undefined }],
    ['audience', { aud: ['a'] }],
    ['scope', { scope: 'read' }],
    ['scope, which is missing', { scope: undefined }],
    ['key', { cnf: { jkt: 'l' } }],
    ['key, which is missing', { cnf: undefined }],
  ])('differs by another %s', (_, over) => {
    expect(statementOf({ ...said, ...over })).toEqual(expect.any(String));
    expect(statementOf({ ...said, ...over })).not.toBe(statementOf(said));
  });

  it.each<[string, object]>([
    ['an issuer that is no text', { iss: 1 }],
    ['no issuer', { iss: undefined }],
    ['a client that is no text', { client_id: ['wiki'] }],
    ['an id that is no text', { jti: 7 }],
    ['an id of null', { jti: null }],
    ['a user that is no text', { sub: {} }],
    ['a scope that is a list', { scope: ['read'] }],
    ['an end that is a text', { exp: '1790000000' }],
    ['a key that has no one form', { cnf: { jkt: 1n } }],
  ])('is nothing with %s', (_, over) => {
    expect(statementOf({ ...said, ...over })).toBeUndefined();
  });

  it.each<[unknown, readonly string[]]>([
    ['a', ['a']],
    [['a', 'b'], ['a', 'b']],
    [['a', 1], []],
    [{ a: 1 }, []],
    [undefined, []],
  ])('an audience of %j is %j', (aud, expected) => {
    expect(audienceOf({ aud })).toEqual(expected);
  });
});
