import { describe, expect, it } from '@jest/globals';
import { createProblemLog, failureCode } from './problem-log.js';

describe('a log of problems', () => {
  it('says a lasting problem again after 30 seconds, and each other one at once', () => {
    const said: string[] = [];
    let now = 0;
    const sut = createProblemLog(
      { warn: (_what: unknown, message: string) => said.push(`${now} ${message}`) } as never,
      () => now,
    );
    sut('away', { status: 503 });
    sut('away', { status: 500 });
    sut('refused', { status: 503 });
    now = 29_999;
    sut('away', { status: 503 });
    expect(said).toEqual(['0 away', '0 away', '0 refused']);
    now = 30_000;
    sut('away', { status: 503 });
    sut('away', { status: 503 });
    expect(said.slice(3)).toEqual(['30000 away']);
  });

  it('may be nobody’s', () => {
    expect(() => {
      createProblemLog(undefined, () => 0)('away', {});
    }).not.toThrow();
  });
});

describe('the code of a failure', () => {
  it.each([
    [
      'the cause’s',
      new TypeError('fetch failed', { cause: Object.assign(new Error('secret'), { code: 'ECONNREFUSED' }) }),
      'ECONNREFUSED',
    ],
    ['its own', Object.assign(new Error('secret'), { code: 'ABORTED' }), 'ABORTED'],
    ['its name, where the code is none', Object.assign(new RangeError('secret'), { code: 20 }), 'RangeError'],
    ['its own name, where the cause is no error', new TypeError('secret', { cause: 'secret' }), 'TypeError'],
    ['none', 'secret', 'unknown'],
    ['none at all', undefined, 'unknown'],
  ])('%s', (_, error, code) => {
    expect(failureCode(error)).toBe(code);
  });
});
