import { describe, expect, it } from '@jest/globals';
import { createRestraint, TooManyWaiting } from './restraint.js';

function given({ perSecond = 100 } = {}) {
  const clock = { now: 0 };
  const restraint = createRestraint({ burst: 3, perSecond, maxQueued: 2, maxWaitMs: 1_000 }, () => clock.now);
  const started: string[] = [];
  const open: ((result: string | undefined) => void)[] = [];
  const run = (caller: string): Promise<string | undefined> =>
    restraint.run(caller, () => {
      started.push(caller);
      return new Promise<string | undefined>((resolve) => open.push(resolve));
    });
  return { clock, restraint, started, open, run };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a restraint', () => {
  it('starts so many attempts of a caller at once, and lets others start beside them', async () => {
    const { started, run } = given();
    for (let at = 0; at < 5; at++) void run('one');
    void run('other');
    expect(started).toEqual(['one', 'one', 'one', 'other']);
  });

  it('gives the turn of what was not in vain to the next in line', async () => {
    const { started, open, run } = given();
    for (let at = 0; at < 4; at++) void run('one');
    open[0]!('found');
    await settled();
    expect(started).toHaveLength(4);
  });

  it('keeps the turn of what was in vain until its time has passed', async () => {
    const { clock, started, open, run } = given();
    for (let at = 0; at < 4; at++) void run('one');
    for (const end of open) end(undefined);
    await settled();
    expect(started).toHaveLength(3);
    clock.now = 10;
    void run('one');
    await settled();
    expect(started).toHaveLength(4);
  });

  it('wakes those in line by itself when time has passed', async () => {
    const restraint = createRestraint({ burst: 1, perSecond: 100, maxQueued: 10, maxWaitMs: 1_000 });
    const inVain = (): Promise<string | undefined> => restraint.run('one', async () => undefined);
    expect(await Promise.all([inVain(), inVain(), inVain()])).toEqual([undefined, undefined, undefined]);
  });

  it('refuses one more than may wait', async () => {
    const { run } = given();
    for (let at = 0; at < 5; at++) void run('one');
    await expect(run('one')).rejects.toBeInstanceOf(TooManyWaiting);
  });

  it('refuses who has waited too long', async () => {
    const { clock, run } = given({ perSecond: 0.001 });
    for (let at = 0; at < 3; at++) void run('one');
    const late = run('one');
    clock.now = 1_000;
    void run('one');
    await expect(late).rejects.toBeInstanceOf(TooManyWaiting);
  });

  it('does not hold a failure against the caller', async () => {
    const { restraint } = given();
    const failing = (): Promise<unknown> => restraint.run('one', () => Promise.reject(new Error('gone')));
    for (let at = 0; at < 10; at++) await expect(failing()).rejects.toThrow('gone');
  });
});
