import { expect, it } from '@jest/globals';
import type { Seq } from '../control/index.js';
import type { Rule } from '../rules/index.js';
import type { StoredRule } from './rule-reader.pg.js';
import { stateOf } from './rule-view.js';

const stored = { seq: 7n as Seq, at: 0, body: { effect: 'block' } } as StoredRule;
const lifted = { ...stored, lift: { at: 1 } } as StoredRule;
const held = (over: Partial<Rule> = {}): Rule => ({ effect: 'block', ...over }) as Rule;

it.each([
  ['held', stored, held(), 9n, 'live'],
  ['stored, and not read here yet', stored, undefined, 6n, 'live'],
  ['read, and dropped', stored, undefined, 7n, 'expired'],
  ['lifted, and not read here yet', lifted, undefined, 6n, 'lifted'],
  ['lifted and dropped', lifted, undefined, 9n, 'lifted'],
  ['turned by an enabling', stored, held({ effect: 'revoke' }), 9n, 'turned-revoke'],
  ['turned by its own end', stored, held({ until: 100 }), 9n, 'turned-revoke'],
  ['before its end', stored, held({ until: 101 }), 9n, 'live'],
] as const)('a rule that is %s', (_name, rule, current, head, state) => {
  expect(stateOf(rule, { current, head: head as Seq }, 100)).toBe(state);
});
