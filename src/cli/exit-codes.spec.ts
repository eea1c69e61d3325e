import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { RequestFailed } from './client.js';
import { EXIT, exitCodeOf, exitCodesText } from './exit-codes.js';
import { UsageError } from './terminal.js';

describe('exit codes', () => {
  it.each<[string, unknown, number]>([
    ['an order that is not confirmed', 'not-confirmed', 4],
    ['a key that nobody knows', 'unauthenticated', 5],
    ['a caller without the role', 'forbidden', 5],
    ['a selector beyond what the caller may revoke', 'selector-too-wide', 5],
    ['a name that nobody knows', 'not-found', 6],
    ['another refusal', 'invalid-request', 1],
    ['a service that is overloaded', 'overloaded', 1],
    ['a code of a newer service', 'made-up', 1],
    ['a service out of reach', 'unreachable', 1],
  ])('%s', (_what, code, exit) => {
    expect(exitCodeOf(new RequestFailed(code as string, '', 'http://localhost'))).toBe(exit);
  });

  it('tell a wrong call from what failed', () => {
    expect([exitCodeOf(new UsageError('x')), exitCodeOf(new Error('x')), exitCodeOf(undefined)]).toEqual([2, 1, 1]);
  });

  it('are those of the README, and differ from each other', async () => {
    const readme = await readFile('src/cli/README.md', 'utf8');
    const rows = [...readme.matchAll(/^\| `(\d+)` \| (.+) \|$/gm)].map(([, code, meaning]) => [Number(code), meaning]);
    expect(rows).toEqual(Object.values(EXIT));
    expect(new Set(rows.map(([code]) => code)).size).toBe(rows.length);
    expect(exitCodesText()).toContain('\n  5    the key is unknown, or its caller may not do this\n');
  });
});
