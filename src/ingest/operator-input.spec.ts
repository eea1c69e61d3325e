import { expect, it } from '@jest/globals';
import { readReplayInput, readResumeInput } from './operator-input.js';

it('names a member that it does not know', () => {
  expect(() => readReplayInput({ foo: 1 })).toThrow(
    expect.objectContaining({ code: 'invalid-request', detail: 'unknown member: foo' }),
  );
  expect(() => readResumeInput({ at: 'stored', reason: 'x', ofset: '7' })).toThrow(
    expect.objectContaining({ detail: 'unknown member: ofset' }),
  );
});

it('says what is wrong with one that it knows', () => {
  expect(() => readReplayInput({ limit: 0 })).toThrow(
    expect.objectContaining({ code: 'invalid-request', detail: expect.stringContaining('`limit`') }),
  );
});
