import { describe, expect, it } from '@jest/globals';
import { readFindingsSearch } from './search.js';

describe('the search of the URL', () => {
  it.each([
    [{}, {}],
    [{ state: 'open' }, { state: ['open'] }],
    [{ state: ['open', 'muted', 'gone', 7] }, { state: ['open', 'muted'] }],
    [
      { severity: 'high', kind: ['refusals'] },
      { severity: 'high', kind: ['refusals'] },
    ],
    [{ severity: 'worst', kind: {}, finding: 3 }, {}],
    [{ finding: 'a-b' }, { finding: 'a-b' }],
  ])('%j', (given, expected) => {
    const { state, severity, kind, finding } = readFindingsSearch(given);
    expect({ state, severity, kind, finding }).toEqual({
      state: undefined,
      severity: undefined,
      kind: undefined,
      finding: undefined,
      ...expected,
    });
  });
});
