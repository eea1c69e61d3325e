import { describe, expect, it } from '@jest/globals';
import { createLifecycle } from './lifecycle.js';
import { createLog } from './log.js';

const log = createLog({ level: 'silent' });

describe('the lifecycle', () => {
  it('stops what was started last first, and each step after the one before it', async () => {
    const sut = createLifecycle(log);
    const order: string[] = [];
    sut.onStop('database', () => void order.push('database'));
    sut.onStop('http', async () => {
      await new Promise(setImmediate);
      order.push('http');
    });
    expect(sut.stopping.aborted).toBe(false);
    const stopping = sut.stop('test');
    expect(sut.stopping.aborted).toBe(true);
    expect(await stopping).toEqual([]);
    expect(order).toEqual(['http', 'database']);
  });

  it('stops once, and tells everybody', async () => {
    const sut = createLifecycle(log);
    let runs = 0;
    sut.onStop('step', () => void (runs += 1));
    expect(sut.stop('a')).toBe(sut.stop('b'));
    await sut.stopped;
    expect(runs).toBe(1);
  });

  it('goes on after a step that fails or hangs, and names it', async () => {
    const sut = createLifecycle(log, { stepTimeoutMs: 20 });
    let reached = false;
    sut.onStop('first', () => void (reached = true));
    sut.onStop('throws', () => {
      throw new Error('no');
    });
    sut.onStop('hangs', () => new Promise(() => undefined));
    expect(await sut.stop('test')).toEqual(['hangs', 'throws']);
    expect(reached).toBe(true);
  });
});
