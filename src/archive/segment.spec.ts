import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { dayOf, filePath, firstIndexOf, tenantDirectory } from './segment.js';

const TENANT = '0b8f5a52-6f0e-4f7c-9d0a-3f6f6f1a2b3c';

describe('the directory of a tenant', () => {
  it('is named by its uuid below the version of the format', () =>
    expect(tenantDirectory('/archive', TENANT)).toBe(join('/archive', 'v1', TENANT)));

  it.each([
    '',
    '.',
    '..',
    '../other',
    `../${TENANT}`,
    `${TENANT}/../x`,
    `${TENANT}\0`,
    `${TENANT}\n`,
    TENANT.toUpperCase(),
    'default',
    "x'; DROP TABLE access; --",
    '/etc',
    'tenant=1',
  ])('is refused for %j', (tenant) => expect(() => tenantDirectory('/archive', tenant)).toThrow(TypeError));
});

describe('the path of a file', () => {
  const range = { first: 65_536n, end: 131_072n, day: '2026-11-24' };

  it('says table, day and range', () => {
    expect(filePath('uses', range)).toBe('uses/day=2026-11-24/0000000000065536-0000000000131072.parquet');
    expect(firstIndexOf('0000000000065536-0000000000131072.parquet')).toBe(65_536n);
  });

  it.each([{ day: '../..' }, { day: '2026-11-24/..' }, { end: 65_536n }, { first: -1n }])('is refused for %j', (over) =>
    expect(() => filePath('uses', { ...range, ...over })).toThrow(TypeError),
  );

  it('is refused for another table', () => expect(() => filePath('../uses' as 'uses', range)).toThrow(TypeError));

  it.each(['x.parquet', '0000000000065536-0000000000131072.parquet.tmp', '.tmp', 'place.json'])('is not %s', (name) =>
    expect(firstIndexOf(name)).toBeUndefined(),
  );
});

it('a day is that of arrival in UTC', () => expect(dayOf(1_795_564_799_999)).toBe('2026-11-24'));
