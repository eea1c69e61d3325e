import { expect, it } from '@jest/globals';
import type { Seq } from '../../control/index.js';
import type { Rule } from '../../rules/index.js';
import type { StoredRule } from './rule-reader.pg.js';
import { ruleView, stateOf } from './rule-view.js';

const stored = { seq: 7n as Seq, at: 0, body: { effect: 'block' } } as StoredRule;
const lifted = { ...stored, lift: { at: 1, seq: 8n } } as StoredRule;
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
  ['past its end, and resumed', stored, held({ until: 100, resume: true }), 9n, 'expired'],
  [
    'a revoke whose moment is past',
    { ...stored, body: { effect: 'revoke' } } as StoredRule,
    held({ effect: 'revoke', until: 1 }),
    9n,
    'live',
  ],
] as const)('a rule that is %s', (_name, rule, current, head, state) => {
  expect(stateOf(rule, { current, head: head as Seq }, 100)).toBe(state);
});

it('is shown with its times in whole seconds, and in force once all have confirmed it', () => {
  const known = { current: held({ effect: 'revoke' }), head: 9n as Seq };
  const body = {
    id: 'r',
    effect: 'revoke',
    selector: { all: true },
    reauthenticate: false,
    reason: 'left',
    author: { caller: 'admin' },
  } as const;
  const rule = { seq: 7n as Seq, at: 12_999, body } as unknown as StoredRule;
  const shown = {
    id: 'r',
    seq: '7',
    at: '1970-01-01T00:00:12Z',
    state: 'live',
    effect: 'revoke',
    selector: { all: true },
    reauthenticate: false,
    reason: 'left',
    author: { caller: 'admin' },
  };
  expect([6n, 7n, 8n].map((upTo) => ruleView(rule, known, upTo as Seq, 100))).toStrictEqual([
    { ...shown, in_force: false },
    { ...shown, in_force: true },
    { ...shown, in_force: true },
  ]);
});

it.each<[string, StoredRule, Rule | undefined]>([
  ['lifted', lifted, undefined],
  ['expired', stored, undefined],
])('that is %s stops nothing, and is not in force', (_name, rule, current) => {
  expect(ruleView(rule, { current, head: 9n as Seq }, 9n as Seq, 100)).toMatchObject({ in_force: false });
});

const author = { caller: 'dana' };
const liftOf = (resume: boolean): StoredRule =>
  ({
    ...stored,
    lift: { at: 12_999, seq: 8n, resume, author, ...(resume ? {} : { keptBy: 'k' }) },
  }) as unknown as StoredRule;
const until = (resume?: true): StoredRule =>
  ({ ...stored, body: { effect: 'block', until: 90, ...(resume ? { resume } : {}) } }) as unknown as StoredRule;
const enabling = { source: 'idp', event: 'e-1', entry: '4', atMs: 5_999, beforeMs: 4_000 };

it.each([
  [
    'a lift',
    liftOf(false),
    undefined,
    undefined,
    { by: 'lift', at: '1970-01-01T00:00:12Z', leaves: 'revoke', before: '1970-01-01T00:00:12Z', author, revoke: 'k' },
  ],
  [
    'a lift that resumes',
    liftOf(true),
    undefined,
    undefined,
    { by: 'lift', at: '1970-01-01T00:00:12Z', leaves: 'nothing', author },
  ],
  [
    'a lift, whatever was enabled since',
    liftOf(true),
    undefined,
    enabling,
    { by: 'lift', at: '1970-01-01T00:00:12Z', leaves: 'nothing', author },
  ],
  [
    'an event',
    stored,
    held({ effect: 'revoke', before: 5 }),
    enabling,
    {
      by: 'event',
      at: '1970-01-01T00:00:05Z',
      leaves: 'revoke',
      before: '1970-01-01T00:00:04Z',
      source: 'idp',
      event: 'e-1',
      entry: '4',
    },
  ],
  [
    'an event that the ledger does not tell yet',
    stored,
    held({ effect: 'revoke', before: 5 }),
    undefined,
    { by: 'event', at: '1970-01-01T00:00:05Z', leaves: 'revoke', before: '1970-01-01T00:00:05Z' },
  ],
  [
    'its own end',
    until(),
    held({ until: 90 }),
    undefined,
    { by: 'until', at: '1970-01-01T00:01:30Z', leaves: 'revoke', before: '1970-01-01T00:01:30Z' },
  ],
  [
    'its own end, with resume',
    until(true),
    held({ until: 90, resume: true }),
    undefined,
    { by: 'until', at: '1970-01-01T00:01:30Z', leaves: 'nothing' },
  ],
  ['nothing yet', stored, held(), undefined, undefined],
])('a block that was ended by %s says so', (_name, rule, current, event, ended) => {
  expect(ruleView(rule, { current, head: 9n as Seq }, 9n as Seq, 100, event).ended).toEqual(ended);
});

it('is shown with all that was said of it', () => {
  const told = { or: { user: [] }, resume: true, after_lift_of: 'q' };
  const times = { before: 1, until: 2, origin: { source: 's', at: 1_234 } };
  const rule = {
    ...stored,
    body: { effect: 'block', ...told, ...times },
    lift: { at: 12_999, resume: false, reason: 'back', author: { caller: 'admin' }, rule: 'r', seq: 8n },
  } as unknown as StoredRule;
  expect(ruleView(rule, { current: undefined, head: 9n as Seq }, 9n as Seq, 100)).toMatchObject({
    ...told,
    before: '1970-01-01T00:00:01Z',
    until: '1970-01-01T00:00:02Z',
    origin: { source: 's', at: '1970-01-01T00:00:01.234Z' },
    lift: { at: '1970-01-01T00:00:12Z', resume: false, reason: 'back', author: { caller: 'admin' } },
  });
});
