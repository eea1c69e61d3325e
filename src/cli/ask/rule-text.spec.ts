import { describe, expect, it } from '@jest/globals';
import {
  effectText,
  endText,
  hitsText,
  orderSentence,
  otherRulesText,
  ruleTable,
  ruleText,
  selectorText,
  unknownText,
} from './rule-text.js';

const IDP = 'https://idp.acme.example';

describe('a selector in a line', () => {
  it.each<[object, string]>([
    [{ user: { iss: IDP, sub: 'alice' } }, 'user alice of idp.acme.example'],
    [
      { user: { iss: IDP, tenant: 'org-9', sub: 'alice' }, resource: 'https://api.example/v1' },
      'user alice (tenant org-9) of idp.acme.example, resource api.example/v1',
    ],
    [{ client: { iss: 'http://127.0.0.1:9', client_id: 'wiki' } }, 'client wiki of http://127.0.0.1:9'],
    [{ agent_type: 'coder', issuer: IDP }, 'agents of type coder, issuer idp.acme.example'],
    [{ token: { sha256: 'abc' } }, 'token with SHA-256 abc'],
    [{ token: { signing_input_sha256: 'abc' } }, 'token with signing input SHA-256 abc'],
    [{ id_jag: { iss: IDP, jti: 'gr-1' } }, 'ID-JAG gr-1 of idp.acme.example'],
    [{ all: true }, 'everything'],
    [{ user: { iss: IDP, sub: 'a\u001b[2Jb' } }, 'user a\\u{1b}[2Jb of idp.acme.example'],
  ])('%j', (selector, text) => {
    expect(selectorText(selector)).toBe(text);
  });

  it('counts further names', () => {
    expect(selectorText({ client: { iss: IDP, client_id: 'a' } }, { client: [{}, {}], resource: ['x'] })).toBe(
      'client a of idp.acme.example and 3 further names',
    );
  });
});

it.each([
  [{ effect: 'block' }, 'block, until it is lifted'],
  [
    { effect: 'block', until: '2027-01-15T08:00:00Z' },
    'block until 2027-01-15T08:00:00Z; then what was granted by then stays revoked',
  ],
  [
    { effect: 'block', until: '2027-01-15T08:00:00Z', resume: true },
    'block until 2027-01-15T08:00:00Z; then all of it is good again',
  ],
  [{ effect: 'revoke' }, 'revoke, for ever'],
  [{ effect: 'revoke', before: '2027-01-15T08:00:00Z' }, 'revoke of what was granted until 2027-01-15T08:00:00Z'],
])('the effect of %j in words', (rule, text) => {
  expect(effectText(rule)).toBe(text);
});

it.each([
  [{ effect: 'block' }, 'Block issuer idp.acme.example until somebody lifts it.'],
  [
    { effect: 'block', until: '2027-01-15T08:00:00Z', resume: true },
    'Block issuer idp.acme.example until 2027-01-15T08:00:00Z; then all of it is good again.',
  ],
  [
    { effect: 'block', until: '2027-01-15T08:00:00Z' },
    'Block issuer idp.acme.example until 2027-01-15T08:00:00Z; then what was granted by then stays revoked.',
  ],
  [{ effect: 'revoke' }, 'Revoke what was granted until now: issuer idp.acme.example.'],
  [
    { effect: 'revoke', before: '2027-01-15T08:00:00Z' },
    'Revoke what was granted until 2027-01-15T08:00:00Z: issuer idp.acme.example.',
  ],
  [
    { effect: 'revoke', selector: { session: { iss: IDP, sid: 's-1' } } },
    'Revoke session s-1 of idp.acme.example for ever.',
  ],
])('the order %j in a sentence', (order, text) => {
  expect(orderSentence({ selector: { issuer: IDP }, ...order })).toBe(text);
});

it('what a rule hits in words', () => {
  const hits = { users: 4_551, tokens: 1, used_in_last_hour: 0, grants: 12_345, connections: 2, at_least: false };
  expect(hitsText(hits)).toBe('4,551 users, 1 live token (0 used in the last hour), 12,345 grants, 2 connections');
  expect(hitsText({ ...hits, at_least: true })).toMatch(/^at least 4,551 users/);
});

it.each([
  [null, undefined],
  [[], undefined],
  [['user'], 'no event has ever named this user: check the spelling'],
  [['agent_type', 'id_jag'], 'no event has ever named this agent type or this ID-JAG: check the spelling'],
])('names that nobody has told of: %j', (unknown, text) => {
  expect(unknownText(unknown)).toBe(text);
});

describe('what else stops it', () => {
  const rule = {
    id: 'r-1',
    effect: 'block',
    stops: 'all',
    selector: { issuer: IDP },
    reason: 'breach',
    author: { caller: 'admin', on_behalf_of: 'dana' },
  };
  it.each([
    [undefined, ''],
    [{ rules: [], more: 0, at_least: false }, ''],
    [{ rules: [], more: 0, at_least: true }, '\nNo rule that you may read stops it besides.\n'],
    [null, '\nWhat else stops it could not be found out in time: ask `rescind revoke list`.\n'],
  ])('%j', (others, text) => {
    expect(otherRulesText(others, 'Still:')).toBe(text);
  });

  it.each([
    [0, false, ''],
    [1_234, false, '  and 1,234 more\n'],
    [7, true, '  and at least 7 more\n'],
    [0, true, '  and perhaps more\n'],
  ])('is a table, and %i more (at least: %j)', (more, atLeast, rest) => {
    expect(otherRulesText({ rules: [rule], more, at_least: atLeast }, 'Still:')).toBe(`
Still:
  all of it  issuer idp.acme.example: block, until it is lifted
             rule r-1, by dana (as admin): breach
${rest}`);
  });
});

describe('how a block ended', () => {
  it.each<[object | undefined, string | undefined]>([
    [undefined, undefined],
    [
      { by: 'until', at: '2027-01-15T08:00:00Z', leaves: 'nothing' },
      'its end came at 2027-01-15T08:00:00Z; it stops nothing any more',
    ],
    [
      {
        by: 'lift',
        at: '2027-01-15T08:00:00Z',
        leaves: 'revoke',
        before: '2027-01-15T08:00:00Z',
        author: { caller: 'admin' },
        revoke: 'r-2',
      },
      'lifted at 2027-01-15T08:00:00Z by admin; what was granted until 2027-01-15T08:00:00Z stays revoked, by rule r-2',
    ],
    [
      {
        by: 'event',
        at: '2027-01-15T08:00:00Z',
        leaves: 'revoke',
        before: '2027-01-15T08:00:00Z',
        source: 's-1',
        event: 'e-9',
        entry: '7',
      },
      'enabled again at 2027-01-15T08:00:00Z by event e-9 (entry 7); what was granted until 2027-01-15T08:00:00Z stays revoked',
    ],
    [
      { by: 'event', at: '2027-01-15T08:00:00Z', leaves: 'revoke', before: '2027-01-15T08:00:00Z' },
      'enabled again at 2027-01-15T08:00:00Z; what was granted until 2027-01-15T08:00:00Z stays revoked',
    ],
  ])('%j', (ended, text) => {
    expect(endText(ended)).toBe(text);
  });
});

const shown = {
  id: 'r-1',
  at: '2027-01-15T08:00:00Z',
  effect: 'block',
  selector: { issuer: IDP },
  reason: 'breach',
  author: { caller: 'admin' },
};
it.each([
  ['live', true, {}, 'yes, on every node and guard'],
  ['live', false, {}, 'not yet on every node and guard'],
  ['turned-revoke', true, {}, 'yes, as a revoke: the block itself has ended'],
  ['lifted', false, { lift: { in_force: true } }, 'no: it is lifted'],
  ['lifted', false, { lift: { in_force: false } }, 'no; some nodes may not have heard of the lift yet'],
  ['expired', false, {}, 'no: it stops nothing any more'],
])('a rule that is %s (in force: %j) says so', (state, in_force, more, text) => {
  expect(ruleText({ ...shown, state, in_force, ...more })).toMatch(new RegExp(`^in force +${text}$`, 'm'));
});

it('lists rules with times and names', () => {
  expect(
    ruleTable([
      { ...shown, state: 'live', in_force: true },
      { ...shown, state: 'lifted', ended: { at: '2027-01-15T08:01:00Z' } },
      { ...shown, state: 'live', in_force: false },
    ]),
  ).toBe(`ID   ORDERED               STATE                ENDED                 EFFECT  SELECTS                  REASON
r-1  2027-01-15T08:00:00Z  live                 -                     block   issuer idp.acme.example  breach
r-1  2027-01-15T08:00:00Z  lifted               2027-01-15T08:01:00Z  block   issuer idp.acme.example  breach
r-1  2027-01-15T08:00:00Z  live, not confirmed  -                     block   issuer idp.acme.example  breach
`);
});
