import { describe, expect, it } from '@jest/globals';
import { isAbout, judge, rowsOf, type Found } from './judge.js';
import { reportOf } from './report.js';
import type { Incident } from './truth.js';

const DAY_S = 86_400;
const AT = 1_796_000_000;

const incident: Incident = {
  kind: 'issued-while-disabled',
  deed: 'kalomi was issued a token',
  named: [['kalomi.0007'], ['"workhub"', 'https://inbox.orbit.example/api']],
  first: AT,
  last: AT + 600,
  until: AT + 4_200,
  size: 3,
  also: ['use-after-rule'],
};
const finding = (changes: Partial<Found> = {}): Found => ({
  kind: 'issued-while-disabled',
  first: AT + 10,
  last: AT + 500,
  says: 'an ID-JAG was issued',
  text: '{"user":{"sub":"kalomi.0007"}}',
  ...changes,
});

describe('a finding is about an incident', () => {
  it.each<[string, Partial<Found>, boolean]>([
    ['of its kind, name and time', {}, true],
    ['by any of its names', { text: '{"client":"workhub","resource":"https://inbox.orbit.example/api"}' }, true],
    ['not by half a name', { text: '{"client":"workhub"}' }, false],
    ['not by another name', { text: '{"user":{"sub":"kalomi.0008"}}' }, false],
    ['of a kind that describes the same deed', { kind: 'use-after-rule' }, true],
    ['not of another kind', { kind: 'refusals' }, false],
    ['not long before', { first: AT - 3 * DAY_S, last: AT - 2 * DAY_S }, false],
    ['not long after', { first: AT + DAY_S, last: AT + DAY_S }, false],
    ['that began before and grew until it', { first: AT - DAY_S }, true],
  ])('%s', (_, changes, is) => expect(isAbout(finding(changes), incident)).toBe(is));
});

describe('the verdict', () => {
  it('finds an incident by its own kind alone, and calls false what no incident explains', () => {
    const beside = finding({ kind: 'use-after-rule' });
    const wrong = finding({ kind: 'refusals' });
    const { incidents, falseOnes } = judge([incident], [beside, wrong]);
    expect(incidents[0]!.found).toEqual([]);
    expect(falseOnes).toEqual([wrong]);
  });

  it('counts entries from the incident to the first finding that showed', () => {
    const { incidents } = judge([incident], [finding({ shownAt: 900 }), finding({ shownAt: 700 })], [640]);
    expect(incidents[0]!.entriesToIt).toBe(60);
  });

  it('adds up by kind, with kinds that were only found falsely', () => {
    const rows = rowsOf([judge([incident], [finding(), finding({ kind: 'refusals' })]), judge([incident], [])]);
    const row = (kind: string) => rows.find((one) => one.kind === kind);
    expect(row('issued-while-disabled')).toMatchObject({ incidents: 2, found: 1, findings: 1, falseOnes: 0 });
    expect(row('refusals')).toMatchObject({ incidents: 0, found: 0, falseOnes: 1 });
  });
});

describe('the report', () => {
  const many = (missed: number, wrong: number) =>
    judge(
      Array.from({ length: 100 }, (_, nth) => ({ ...incident, named: [[`user-${nth}.`]] })),
      [
        ...Array.from({ length: 100 - missed }, (_, nth) => finding({ text: `user-${nth}.` })),
        ...Array.from({ length: wrong }, () => finding({ kind: 'refusals' })),
      ],
    );

  it.each([
    ['meets the goal with 95 of 100 found and 2 false ones a day', 5, 28, true],
    ['does not with 94 found', 6, 0, false],
    ['does not with more than 2 false ones a day', 0, 29, false],
  ])('%s', (_, missed, wrong, isMet) => expect(reportOf([many(missed, wrong)]).isMet).toBe(isMet));

  it('gives five examples at most of what was missed and of what was false', () => {
    const { text } = reportOf([many(9, 40)]);
    expect(text).toContain('missed: 9, for example');
    expect(text).toContain('false: 40, for example');
    expect(text.split('\n').filter((line) => line.startsWith('  '))).toHaveLength(10);
  });
});
