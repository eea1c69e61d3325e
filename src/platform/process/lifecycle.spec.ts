import { describe, expect, it } from '@jest/globals';
import { RescindError } from '../../contracts/index.js';
import { createLifecycle } from './lifecycle.js';
import { createLog } from '../log/index.js';

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

  it('takes a start that is under way no further once it stops, and stops what that has started', async () => {
    const sut = createLifecycle(log);
    let isStopped = false;
    void sut.stop('test');
    expect(() => sut.onStop('late', () => void (isStopped = true))).toThrow(
      expect.objectContaining({ code: 'shutting-down' }),
    );
    await sut.stopped;
    expect(isStopped).toBe(true);
  });

  it('stops by itself when it cannot go on, and keeps the first reason', async () => {
    const sut = createLifecycle(log);
    const first = new RescindError('database-unavailable');
    sut.fail(first);
    sut.fail(new RescindError('kafka-unavailable'));
    await sut.stopped;
    expect(sut.failure).toBe(first);
  });

  it('ends the process at its deadline, and names the step that hung', async () => {
    const lines: string[] = [];
    const sut = createLifecycle(createLog({ level: 'error', destination: { write: (line) => lines.push(line) } }));
    const exited = new Promise<void>((exit) => sut.ownProcess({ exit, deadlineMs: 20 }));
    let letGo = (): void => undefined;
    sut.onStop('hangs', () => new Promise((resolve) => (letGo = resolve)));
    void sut.stop('test');
    // Only the deadline's timer is awaited, and that timer keeps no process alive.
    const alive = setInterval(() => undefined, 1_000);
    await exited;
    clearInterval(alive);
    expect(lines.join()).toContain('"step":"hangs"');
    letGo();
    await sut.stopped;
  });

  it('leaves a process alone that goes on after its services have ended', async () => {
    const sut = createLifecycle(log);
    let exits = 0;
    sut.ownProcess({ exit: () => void (exits += 1), deadlineMs: 20 });
    await sut.stop('test');
    // A timer of the same length that begins later fires later.
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(exits).toBe(0);
  });

  it('ends the process at a second signal', async () => {
    const sut = createLifecycle(log);
    let exits = 0;
    sut.ownProcess({ exit: () => void (exits += 1), deadlineMs: 60_000 });
    let letGo = (): void => undefined;
    sut.onStop('hangs', () => new Promise((resolve) => (letGo = resolve)));
    process.emit('SIGTERM');
    expect(sut.stopping.aborted).toBe(true);
    expect(exits).toBe(0);
    process.emit('SIGINT');
    expect(exits).toBe(1);
    await new Promise(setImmediate);
    letGo();
    await sut.stopped;
  });
});
