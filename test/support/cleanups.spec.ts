import { describe, expect, it } from '@jest/globals';
import { cleanUp, createCleanups, startParts } from './cleanups.js';

const failing = (message: string) => () => Promise.reject(new Error(message));

describe('cleanups', () => {
  it('are called newest first, each after the one before it has ended, and once', async () => {
    const ended: string[] = [];
    const sut = createCleanups();
    sut.push(() => ended.push('database'));
    sut.push(async () => {
      await Promise.resolve();
      ended.push('service');
    });
    await sut.run();
    await sut.run();
    expect(ended).toEqual(['service', 'database']);
  });

  it('are all called although some fail, and the first failure is reported', async () => {
    const ended: string[] = [];
    const sut = createCleanups();
    sut.push(() => ended.push('broker'));
    sut.push(failing('second'));
    sut.push(failing('first'));
    await expect(sut.run()).rejects.toThrow('first');
    expect(ended).toEqual(['broker']);
  });

  it('of a hook are those that a set-up registered before it failed', async () => {
    const ended: string[] = [];
    let hook: (() => Promise<void>) | undefined;
    const cleanups = cleanUp(((run: () => Promise<void>) => (hook = run)) as never);
    const setUp = async (): Promise<void> => {
      cleanups.push(() => ended.push('broker'));
      await failing('no service')();
    };
    await expect(setUp()).rejects.toThrow('no service');
    await hook!();
    expect(ended).toEqual(['broker']);
  });
});

describe('a fixture of several parts', () => {
  it('ends them when it is stopped', async () => {
    const ended: string[] = [];
    const sut = await startParts((cleanups) => {
      cleanups.push(() => ended.push('database'));
      return Promise.resolve({ url: 'http://127.0.0.1' });
    });
    expect([sut.url, ended]).toEqual(['http://127.0.0.1', []]);
    await sut.stop();
    expect(ended).toEqual(['database']);
  });

  it('ends the parts that have started when another cannot, and rejects with why it cannot', async () => {
    const ended: string[] = [];
    const start = startParts(async (cleanups) => {
      cleanups.push(() => ended.push('database'));
      cleanups.push(failing('cannot be ended either'));
      await failing('no service')();
      return {};
    });
    await expect(start).rejects.toThrow('no service');
    expect(ended).toEqual(['database']);
  });
});
