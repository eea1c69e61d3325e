import { describe, expect, it } from '@jest/globals';
import type { ExploreSearch } from './search.js';
import { fieldProblemOf } from './problems.js';

const problem = (detail: string, status = 400) => ({
  code: 'invalid-request',
  title: 'The request is malformed.',
  status,
  detail,
});

describe('the field of a refusal', () => {
  it.each<[string, ExploreSearch, string | undefined]>([
    ['`from` must be earlier than `to`', {}, 'window'],
    ['`compare.from` must be earlier than `compare.to`', {}, 'compare'],
    ['`filter.status.min` must be <= 999', { filter: { status: { min: 1_000 } } }, 'status'],
    ['`filter.hour` must be a time', {}, 'hour'],
    ['`by` must not have more than 4 items', {}, 'by'],
    ['`having` names `calls`, which is not among `measures`', {}, 'having'],
    ['`order.of` belongs to a measure of a question with `compare`', {}, 'order'],
    ['`limit` must be <= 1000', {}, 'limit'],
    ['the caller needs the role audit without `payloads: false` for `address`', { by: ['address'] }, 'by'],
    [
      'the caller needs the role audit without `payloads: false` for `address`',
      { filter: { address: { equals: 'x' } } },
      'address',
    ],
    ['the answer took longer than 20 s: narrow the window with `from` and `to`', {}, 'window'],
    ['something else', {}, undefined],
  ])('%s', (detail, search, field) => {
    expect(fieldProblemOf(problem(detail), search)).toEqual({ field, says: detail });
  });

  it('is that of a name that was never seen', () => {
    const says = 'no `user` of this name has been seen';
    const search = { by: ['user'], filter: { user: { equals: 'x' } } } satisfies ExploreSearch;
    expect(fieldProblemOf(problem(says, 404), search)).toEqual({ field: 'user', says });
  });

  it('is none if the service is away', () => {
    expect(fieldProblemOf(problem('`from`', 503), {})).toBeUndefined();
    expect(fieldProblemOf(new Error('no network'), {})).toBeUndefined();
  });
});
