import { describe, expect, it } from '@jest/globals';
import { asOfOf, momentFromCursor, momentToCursor, readAsOf } from './as-of.js';
import { readParameters } from './parameters.js';

const read = (text: string) => readAsOf(readParameters({ as_of: text }, ['as_of']));

describe('as_of', () => {
  it('is an index or a time', () => {
    expect(readAsOf(new Map())).toBeUndefined();
    expect(read('0')).toEqual({ index: 0n });
    expect(read('1234')).toEqual({ index: 1234n });
    expect(read('2026-11-20T09:00:00Z')).toEqual({ atMs: 1_795_165_200_000 });
    expect(read('2026-11-20T10:00:00.250+01:00')).toEqual({ atMs: 1_795_165_200_250 });
    expect(read('2026-11-20')).toEqual({ atMs: 1_795_132_800_000 });
    expect(read('@1795165200')).toEqual({ atMs: 1_795_165_200_000 });
    expect(read('24h')).toEqual({ agoMs: 86_400_000 });
  });

  it.each(['-1', '01', '1.5', '10000000000000000000', 'yesterday', '2026-11-20T09:00:00', '2026-13-20T09:00:00Z'])(
    'is not %s',
    (text) => {
      expect(() => read(text)).toThrow(expect.objectContaining({ code: 'invalid-request' }));
    },
  );

  it.each(['1999-01-01T00:00:00Z', '2101-01-01T00:00:00Z'])('is no moment of a ledger: %s', (text) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'as-of-out-of-range' }));
  });

  it('takes an index that no ledger comes to for the largest that PostgreSQL holds', () => {
    expect(read('9223372036854775808')).toEqual({ index: 2n ** 63n - 1n });
  });

  it('goes through a cursor unchanged', () => {
    const moment = { index: 2n ** 60n + 1n, at: 1_795_165_200 };
    expect(momentFromCursor([...momentToCursor(moment), 'position'])).toEqual(moment);
    expect(() => momentFromCursor(['1'])).toThrow(expect.objectContaining({ code: 'invalid-cursor' }));
    expect(asOfOf(moment)).toEqual({ index: '1152921504606846977', at: '2026-11-20T09:00:00Z' });
  });
});
