import { describe, expect, it } from '@jest/globals';
import { RescindError } from '../contracts/index.js';
import { createHealth } from './health.js';

describe('health', () => {
  it('is ready when every check passes', async () => {
    const sut = createHealth();
    sut.register('database', async () => undefined);
    sut.register('lease', () => undefined);
    expect(await sut.report()).toMatchObject({
      ready: true,
      checks: [
        { name: 'database', ok: true },
        { name: 'lease', ok: true },
      ],
    });
  });

  it('tells the code of a failed check, and nothing of other errors', async () => {
    const sut = createHealth();
    sut.register('lease', () => {
      throw new RescindError('no-lease');
    });
    sut.register('database', async () => {
      throw new Error('password authentication failed for user rescind');
    });
    const report = await sut.report();
    expect(report).toMatchObject({ ready: false, checks: [{ name: 'lease', ok: false, code: 'no-lease' }, { name: 'database', ok: false }] });
    expect(JSON.stringify(report)).not.toContain('password');
  });

  it('is not ready once the process is stopping', async () => {
    const stopping = new AbortController();
    const sut = createHealth({ stopping: stopping.signal });
    expect((await sut.report()).ready).toBe(true);
    stopping.abort();
    expect(await sut.report()).toMatchObject({ ready: false, checks: [{ name: 'process', code: 'shutting-down' }] });
  });
});
