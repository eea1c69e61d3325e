import { expect, it } from '@jest/globals';
import { TIME_FORMS } from '../contracts/index.js';
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

it('reads times in every form', () => {
  const now = 1_795_600_000;
  expect(readReplayInput({ from: '24h', to: '2026-11-25T09:00:00Z', limit: 5 }, now)).toEqual({
    from: now - 86_400,
    to: 1_795_597_200,
    limit: 5,
  });
  expect(readReplayInput({ from: now, to: String(now) }, now)).toEqual({ from: now, to: now });
  for (const from of ['yesterday', 1.5, null])
    expect(() => readReplayInput({ from }, now)).toThrow(
      expect.objectContaining({ code: 'invalid-request', detail: `\`from\` must be ${TIME_FORMS}` }),
    );
});
