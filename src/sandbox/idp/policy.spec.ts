import { beforeEach, describe, expect, it } from '@jest/globals';
import { createPolicy, type Connection, type Policy } from './policy.js';

const connection: Connection = {
  idpClientId: 'atlas',
  audience: 'https://login.crm.example',
  resource: 'https://api.crm.example',
  clientId: 'atlas-at-crm',
  scopes: ['read', 'write'],
  users: { alice: ['read', 'write', 'admin'], bob: ['read'] },
};
const question = {
  sub: 'alice',
  idpClientId: 'atlas',
  audience: connection.audience,
  resource: connection.resource,
  scopes: ['read'],
};

describe('policy', () => {
  let sut: Policy;
  beforeEach(() => {
    sut = createPolicy();
    sut.add(connection);
  });

  it.each([
    ['what was asked', {}, ['read']],
    [
      'everything the user may delegate, within the connection, when nothing was asked',
      { scopes: [] },
      ['read', 'write'],
    ],
    ['the part that is allowed', { sub: 'bob', scopes: ['read', 'write'] }, ['read']],
    ['without a resource too', { resource: undefined }, ['read']],
  ])('grants %s', (_what, change, scopes) => {
    expect(sut.decide({ ...question, ...change })).toMatchObject({ allowed: true, scopes, connection });
  });

  it.each([
    ['a user who is not named', { sub: 'mallory' }, 'access_denied'],
    ['a scope outside the connection', { scopes: ['admin'] }, 'access_denied'],
    ['another client', { idpClientId: 'wiki' }, 'invalid_target'],
    ['another audience', { audience: 'https://login.chat.example' }, 'invalid_target'],
    ['a resource that is not of the audience', { resource: 'https://api.chat.example' }, 'invalid_target'],
  ])('refuses %s', (_what, change, error) => {
    expect(sut.decide({ ...question, ...change })).toMatchObject({ allowed: false, error });
  });

  it('refuses after removal, and names every decision anew', () => {
    const first = sut.decide(question);
    expect(sut.remove('atlas', connection.audience)).toBe(connection);
    expect(sut.remove('atlas', connection.audience)).toBeUndefined();
    const second = sut.decide(question);
    expect(second.allowed).toBe(false);
    expect(second.id).not.toBe(first.id);
  });
});
