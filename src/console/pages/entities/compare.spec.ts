import { describe, expect, it } from '@jest/globals';
import { compareGrants } from './compare.js';

type Grant = Parameters<typeof compareGrants>[0]['items'][number];
const grant = (user: number, granted: string, used = '', agent: number | null = null): Grant =>
  ({
    user: { entity: user },
    client: { entity: 2 },
    resource: { entity: 3 },
    agent: agent === null ? null : { entity: agent },
    granted_scopes: granted.split(' '),
    used_scopes: used === '' ? [] : used.split(' '),
  }) as unknown as Grant;
const told = (...given: Parameters<typeof compareGrants>): string[] =>
  compareGrants(...given).map(
    ({ difference, grant: { user }, added, removed, usedFirst, hasOtherAgent }) =>
      `${difference} ${user.entity} +${added} -${removed} used ${usedFirst}${hasOtherAgent ? ' agent' : ''}`,
  );

describe('the difference of the grants of two moments', () => {
  it.each<[string, Grant[], Grant[], string[]]>([
    ['nothing', [grant(1, 'a', 'a')], [grant(1, 'a', 'a')], []],
    ['a new grant', [], [grant(1, 'a b')], ['new 1 +a,b - used ']],
    ['a grant that is gone', [grant(1, 'a')], [], ['gone 1 +a - used ']],
    ['scopes that came and went', [grant(1, 'a b')], [grant(1, 'b c')], ['grown 1 +c -a used ']],
    ['a scope that was used first', [grant(1, 'a')], [grant(1, 'a', 'a')], ['grown 1 + - used a']],
    ['another agent', [grant(1, 'a', '', 7)], [grant(1, 'a', '', 8)], ['grown 1 + - used  agent']],
  ])('has %s', (_, before, after, expected) => expect(told({ items: before }, { items: after })).toEqual(expected));

  it('ends where the shorter list does, and takes what lies beyond for neither new nor gone', () => {
    const [one, two, ten] = [grant(1, 'a'), grant(2, 'a'), grant(10, 'a')];
    expect(told({ items: [one, ten] }, { items: [one, two], hasMore: true })).toEqual(['new 2 +a - used ']);
    expect(told({ items: [two], hasMore: true }, { items: [one, two, ten] })).toEqual(['new 1 +a - used ']);
    expect(told({ items: [two] }, { items: [two, ten] })).toEqual(['new 10 +a - used ']);
  });
});
