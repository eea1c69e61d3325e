import { expect, it } from '@jest/globals';
import type { Seq } from '../control/index.js';
import type { Rule } from '../rules/index.js';
import type { StoredRule } from './rule-reader.pg.js';
import { ruleView, stateOf } from './rule-view.js';

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

it('is shown with its times in seconds, and in force once all have confirmed it', () => {
  const known = { current: undefined, head: 9n as Seq };
  const body = { id: 'r', effect: 'revoke', selector: { all: true }, reauthenticate: false, reason: 'left', author: { caller: 'admin' } } as const;
  const rule = { seq: 7n as Seq, at: 12_999, body } as unknown as StoredRule;
  const shown = { id: 'r', seq: '7', at: 12, state: 'expired', effect: 'revoke', selector: { all: true }, reauthenticate: false, reason: 'left', author: { caller: 'admin' } };
  expect([6n, 7n, 8n].map((upTo) => ruleView(rule, known, upTo as Seq, 100))).toStrictEqual([{ ...shown, in_force: false }, { ...shown, in_force: true }, { ...shown, in_force: true }]);
});

it('is shown with all that was said of it', () => {
  const told = { or: { user: [] }, before: 1, until: 2, resume: true, origin: { source: 's' }, after_lift_of: 'q' };
  const rule = { ...stored, body: { effect: 'block', ...told }, lift: { at: 12_999, resume: false, reason: 'back', author: { caller: 'admin' }, rule: 'r' } } as unknown as StoredRule;
  expect(ruleView(rule, { current: undefined, head: 9n as Seq }, 9n as Seq, 100)).toMatchObject({ ...told, lift: { at: 12, resume: false, reason: 'back', author: { caller: 'admin' } } });
});
