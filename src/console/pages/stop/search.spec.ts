import { describe, expect, it } from '@jest/globals';
import { readStopSearch, selectorOf } from './search.js';

const user = { iss: 'https://idp.example', sub: 'alice' };

describe('the search of the URL', () => {
  it.each([
    [{}, {}],
    [{ user }, { user }],
    [{ user: { ...user, tenant: 't', role: 'admin' } }, { user: { ...user, tenant: 't' } }],
    [{ user: { iss: 'https://idp.example' }, client: 'wiki', agent: [] }, {}],
    [{ user: { iss: 'https://idp.example', sub: 42 } }, { user: { iss: 'https://idp.example', sub: '42' } }],
    [
      { resource: 'https://api.example', agent_type: 7 },
      { resource: 'https://api.example', agent_type: '7' },
    ],
    [
      { token: { sha256: 'abc' }, id_jag: { iss: 'https://idp.example', jti: 'j' } },
      { token: { sha256: 'abc' }, id_jag: { iss: 'https://idp.example', jti: 'j' } },
    ],
    [{ all: true }, { all: true }],
    [{ all: 'yes', effect: 'erase', until: '1y', resume: 'no', reason: {} }, {}],
    [
      { user, effect: 'block', until: '4h', resume: true, reason: 'stolen', rule: 'r' },
      { user, effect: 'block', until: '4h', resume: true, reason: 'stolen', rule: 'r' },
    ],
  ])('%j', (given, expected) => expect(readStopSearch(given)).toEqual(expected));

  it('selects by its members alone', () => {
    expect(selectorOf({ user, effect: 'block', until: '1h', resume: true, reason: 'x', rule: 'r' })).toEqual({ user });
  });
});
