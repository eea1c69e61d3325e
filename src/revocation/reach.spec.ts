import { describe, expect, it } from '@jest/globals';
import { RescindError } from '../contracts/index.js';
import type { Caller, CallerRoles } from '../control/index.js';
import type { Selector } from '../rules/index.js';
import { mayRead, requireOwnRule, requireReach } from './reach.js';

const IDP = 'https://idp.example';
const API = 'https://api.example';
const bound: CallerRoles = { revoke: { issuers: [IDP], resources: [API] } };
const tenant: CallerRoles = { revoke: { tenant: true } };
const admin: CallerRoles = { ...tenant, admin: {} };
const digest = 'A'.repeat(43);

const codeOf = (roles: CallerRoles, selector: Selector): string | undefined => {
  try {
    requireReach(roles, selector);
    return undefined;
  } catch (error) {
    return error instanceof RescindError ? error.code : String(error);
  }
};

describe('the reach of a revoke role', () => {
  it.each<[string, Selector]>([
    ['a user of its issuer', { user: { iss: IDP, sub: 'alice' } }],
    ['a session of its issuer', { session: { iss: IDP, sid: 's' } }],
    ['a client of its issuer', { client: { iss: IDP, client_id: 'wiki' } }],
    ['an agent of its issuer', { agent: { iss: IDP, id: 'a' } }],
    ['a token of its issuer', { token: { iss: IDP, jti: 'a' } }],
    ['an ID-JAG of its issuer', { id_jag: { iss: IDP, jti: 'a' } }],
    ['its issuer', { issuer: IDP }],
    ['its resource', { resource: API }],
    ["another issuer's user at its resource", { user: { iss: 'https://other.example', sub: 'a' }, resource: API }],
    ['an agent type under its issuer', { agent_type: 'coder', issuer: IDP }],
    ['a digest under its issuer', { token: { sha256: digest }, issuer: IDP }],
  ])('covers %s', (_, selector) => {
    expect(codeOf(bound, selector)).toBeUndefined();
  });

  it.each<[string, Selector]>([
    ["another issuer's user", { user: { iss: 'https://other.example', sub: 'a' } }],
    ['another resource', { resource: 'https://other.example' }],
    ['an agent type anywhere', { agent_type: 'coder' }],
    ['a digest, which names nobody', { token: { sha256: digest } }],
    ['an issuer spelled otherwise', { issuer: `${IDP}/` }],
    ['everything', { all: true }],
  ])('ends before %s', (_, selector) => {
    expect(codeOf(bound, selector)).toBe('selector-too-wide');
    expect(codeOf(admin, selector)).toBeUndefined();
  });

  it('is the tenant for some, everything for its administrators alone, nothing without the role', () => {
    expect(codeOf(tenant, { agent_type: 'coder' })).toBeUndefined();
    expect(codeOf(tenant, { all: true })).toBe('selector-too-wide');
    expect(codeOf({ ...bound, admin: {} }, { all: true })).toBe('selector-too-wide');
    expect(codeOf({ admin: {} }, { issuer: IDP })).toBe('forbidden');
  });
});

describe('the rules of others', () => {
  const caller = (id: string, roles: CallerRoles): Caller => ({ id, tenant: 't', roles, secrets: [], disabled: false });
  const team = caller('team', bound);
  const analyst = caller('analyst', tenant);
  const rule = (author: string, selector: Selector) => ({ author: { caller: author }, selector });
  const within: Selector = { user: { iss: 'https://other.example', sub: 'mallory' }, resource: API };
  const beyond: Selector = { user: { iss: 'https://other.example', sub: 'mallory' } };
  const lift = (who: Caller, of: ReturnType<typeof rule>): string => {
    try {
      requireOwnRule(who, of);
      return 'lifted';
    } catch (error) {
      return (error as RescindError).code;
    }
  };

  it.each<[string, Caller, ReturnType<typeof rule>, string]>([
    ['its own, within its bound', team, rule('team', within), 'lifted'],
    ['its own, beyond what its bound is by now', team, rule('team', beyond), 'selector-too-wide'],
    ["another's, within its bound", team, rule('analyst', within), 'forbidden'],
    ["another's, beyond it", team, rule('analyst', beyond), 'selector-too-wide'],
    ["another's, for the whole tenant", analyst, rule('team', beyond), 'lifted'],
    ["another's of everything, not being an administrator", analyst, rule('admin', { all: true }), 'selector-too-wide'],
  ])('are lifted or not: %s', (_, who, of, outcome) => {
    expect(lift(who, of)).toBe(outcome);
  });

  it.each<[string, Caller, ReturnType<typeof rule>, boolean]>([
    ['its own, beyond its bound', team, rule('team', beyond), true],
    ["another's, within its bound", team, rule('analyst', within), true],
    ["another's, beyond it", team, rule('analyst', beyond), false],
    ['everything, for the whole tenant', analyst, rule('admin', { all: true }), true],
    ["another's, by an auditor", caller('auditor', { audit: {} }), rule('team', beyond), true],
    ["another's, by somebody without either role", caller('nobody', {}), rule('team', beyond), false],
  ])('are read or not: %s', (_, who, of, read) => {
    expect(mayRead(who, of)).toBe(read);
  });

  it('that select several values are read where all of them are within the bound', () => {
    const several = (...others: string[]) => ({
      ...rule('analyst', { client: { iss: IDP, client_id: 'wiki' } }),
      or: { client: others.map((iss) => ({ iss, client_id: 'wiki' })) },
    });
    expect([mayRead(team, several(IDP)), mayRead(team, several('https://other.example'))]).toEqual([true, false]);
  });
});
