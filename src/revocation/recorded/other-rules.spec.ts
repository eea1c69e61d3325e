import { expect, it } from '@jest/globals';
import { createRuleIndex, selectorKey, type NewRule, type Rule, type Selector } from '../../rules/index.js';
import { actingOf, findWider } from './other-rules.js';

const KEY = Buffer.alloc(32, 7);
const IDP = 'https://idp.example';
const RAS = 'https://ras.example';
const user = { iss: IDP, sub: 'ann' };
const RULES: Readonly<Record<string, Selector>> = {
  all: { all: true },
  issuer: { issuer: IDP },
  ras: { issuer: RAS },
  user: { user },
  tenant: { user: { ...user, tenant: 'acme' } },
  bob: { user: { iss: IDP, sub: 'bob' } },
  resource: { resource: 'r' },
  'user at a resource': { user, resource: 'r' },
  'user of the issuer': { user, issuer: IDP },
  token: { token: { iss: RAS, jti: 't' } },
  client: { client: { iss: RAS, client_id: 'c' } },
};

function widerThan(selector: Selector): string[] {
  const index = createRuleIndex();
  for (const [id, one] of Object.entries(RULES))
    index.put({
      id,
      seq: 1n,
      selector: selectorKey(KEY, one),
      effect: 'block',
      before: 0,
      asOfOrder: false,
      reauthenticate: false,
    } as NewRule);
  return [...findWider(KEY, index, selector).keys()].sort();
}

it.each<[string, Selector, string[]]>([
  ['a user', { user }, ['all', 'issuer', 'user', 'user of the issuer']],
  [
    'a user at a resource',
    { user, resource: 'r' },
    ['all', 'issuer', 'resource', 'user', 'user at a resource', 'user of the issuer'],
  ],
  [
    'a user of one issuer through another',
    { user, issuer: RAS },
    ['all', 'issuer', 'ras', 'user', 'user of the issuer'],
  ],
  ['an issuer', { issuer: RAS }, ['all', 'ras']],
  // A token that another one names as its parent brings its key along, but not its issuer.
  ['a token', { token: { iss: RAS, jti: 't' } }, ['all', 'token']],
  [
    'a client',
    { client: { iss: RAS, client_id: 'c' }, agent: { iss: IDP, id: 'a' } },
    ['all', 'client', 'issuer', 'ras'],
  ],
  ['everything', { all: true }, ['all']],
])('%s is stopped altogether by the same selector and by wider ones', (_name, selector, ids) => {
  expect(widerThan(selector)).toEqual([...ids].sort());
});

const rule = (over: Partial<Rule>): Rule => ({ effect: 'block', byIdentity: false, before: 50, ...over }) as Rule;
it.each([
  ['a block', rule({}), { effect: 'block' }],
  ['a block with an end to come', rule({ until: 101 }), { effect: 'block', until: 101 }],
  ['a block past its end', rule({ until: 100 }), { effect: 'revoke', before: 100 }],
  ['a block past its end, with resume', rule({ until: 100, resume: true }), undefined],
  ['a block of a token past its end', rule({ until: 100, byIdentity: true }), { effect: 'revoke' }],
  ['a revoke', rule({ effect: 'revoke' }), { effect: 'revoke', before: 50 }],
  ['a revoke of a token', rule({ effect: 'revoke', byIdentity: true }), { effect: 'revoke' }],
])('%s acts so', (_name, one, acting) => {
  expect(actingOf(one, 100)).toEqual(acting);
});
