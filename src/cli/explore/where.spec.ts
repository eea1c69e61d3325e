import { describe, expect, it } from '@jest/globals';
import { DIMENSION_NAMES, dimensionOf } from '../../explore/index.js';
import { NUMBERS, readConditions } from './where.js';

describe('--where', () => {
  it.each<[string[], object]>([
    [['operation=export'], { operation: { equals: 'export' } }],
    [['user=alice,bob'], { user: { in: ['alice', 'bob'] } }],
    [['user=id:12'], { user: { equals: 12 } }],
    [['user=only:12'], { user: { entity: 12 } }],
    [['user=12'], { user: { equals: '12' } }],
    [['source!=crm,wiki'], { source: { not: ['crm', 'wiki'] } }],
    [['route^=GET /a=b'], { route: { prefix: 'GET /a=b' } }],
    [['status>=400', 'status<500'], { status: { min: 400, max: 499 } }],
    [['agent='], { agent: { missing: true } }],
    [['agent!='], { agent: { missing: false } }],
    [[], {}],
  ])('%j', (texts, filter) => expect(readConditions(texts)).toEqual(filter));

  it.each([['operation'], ['status=many'], ['status>='], ['=x']])('refuses %s', (text) =>
    expect(() => readConditions([text])).toThrow(/--where|status/),
  );

  it('refuses the same condition twice', () => {
    expect(() => readConditions(['user=alice', 'user=bob'])).toThrow('twice');
  });

  it('knows which names have numbers', () => {
    expect([...NUMBERS]).toEqual(DIMENSION_NAMES.filter((name) => dimensionOf(name).type === 'number'));
  });
});
