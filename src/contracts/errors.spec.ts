import { describe, expect, it } from '@jest/globals';
import { ERROR_CODES, REJECT_CODES, RescindError, isErrorCode, type ErrorCode } from './index.js';

const codes = Object.keys(ERROR_CODES) as ErrorCode[];

describe('error codes', () => {
  it.each(codes)('%s can stand in a URL and says one sentence', (code) => {
    expect(code).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
    expect(ERROR_CODES[code].title).toMatch(/^[A-Z].*\.$/);
  });

  it('include every reason for a rejection', () => {
    for (const [code, sentence] of Object.entries(REJECT_CODES))
      expect(ERROR_CODES[code as ErrorCode].title).toBe(sentence);
  });

  it('are recognised by their own names only', () => {
    expect(isErrorCode('not-found')).toBe(true);
    expect(isErrorCode('toString')).toBe(false);
  });
});

describe('RescindError', () => {
  it('takes kind and retryable from its code', () => {
    expect(new RescindError('no-lease')).toMatchObject({ name: 'RescindError', kind: 'unavailable', retryable: true });
    expect(new RescindError('conflict')).toMatchObject({ kind: 'conflict', retryable: false, detail: undefined });
    expect(new RescindError('emit-failed', { retryable: false }).retryable).toBe(false);
  });

  it('says the detail where there is one, and keeps the cause to itself', () => {
    const cause = new Error('connect ECONNREFUSED');
    const error = new RescindError('database-unavailable', { detail: 'while starting', cause });
    expect(error.message).toBe('while starting');
    expect(error.cause).toBe(cause);
    expect(JSON.stringify(error)).not.toContain('ECONNREFUSED');
  });
});
