import { expect, it } from '@jest/globals';
import { createBeside, within } from './beside.js';

const never = new Promise<never>(() => undefined);

it('gives what the work gives, and null where it fails', async () => {
  const failures: unknown[] = [];
  const sut = createBeside({ atOnce: 1, timeoutMs: 60_000, onFailure: (error) => failures.push(error) });
  expect(await sut(async () => 7)).toBe(7);
  const failure = new Error('no');
  expect(await sut(() => Promise.reject(failure))).toBeNull();
  expect(failures).toEqual([failure]);
  expect(await sut(async () => 8)).toBe(8);
});

it('gives null for work that takes too long, which counts until it is done', async () => {
  let end: (value: number) => void = () => undefined;
  const slow = new Promise<number>((resolve) => {
    end = resolve;
  });
  const sut = createBeside({ atOnce: 1, timeoutMs: 1 });
  expect(await sut(() => slow)).toBeNull();
  let asked = false;
  const next = async (): Promise<number> => {
    asked = true;
    return 1;
  };
  expect(await sut(next)).toBeNull();
  expect(asked).toBe(false);
  end(7);
  await slow;
  await new Promise(setImmediate);
  expect(await sut(next)).toBe(1);
});

it('does not wait longer than it is told to', async () => {
  expect(await within(1, never)).toBeNull();
  expect(await within(60_000, Promise.resolve(3))).toBe(3);
  await expect(within(60_000, Promise.reject(new Error('no')))).rejects.toThrow('no');
});
