import { describe, expect, it } from '@jest/globals';
import { RescindError } from '../../contracts/index.js';
import { createHealth, HEALTH_MAX_AGE_MS } from './health.js';

describe('health', () => {
  it('is ready when every check passes', async () => {
    const sut = createHealth();
    await sut.watch('database', async () => undefined);
    sut.register('lease', () => undefined);
    expect(sut.report()).toMatchObject({
      role: 'serve',
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
    await sut.watch('database', async () => {
      throw new Error('password authentication failed for user rescind');
    });
    const report = sut.report();
    expect(report).toMatchObject({
      ready: false,
      checks: [
        { name: 'lease', ok: false, code: 'no-lease' },
        { name: 'database', ok: false },
      ],
    });
    expect(JSON.stringify(report)).not.toContain('password');
  });

  it('tells apart whether it serves and whether it takes events', async () => {
    const sut = createHealth();
    await sut.watch('database', async () => undefined);
    sut.register('lease', () => undefined, ['serve']);
    sut.register('kafka', () => {
      throw new RescindError('kafka-unavailable');
    }, ['ingest']);
    expect(sut.report('serve')).toMatchObject({
      role: 'serve',
      ready: true,
      checks: [{ name: 'database' }, { name: 'lease' }],
    });
    expect(sut.report('ingest')).toMatchObject({
      role: 'ingest',
      ready: false,
      checks: [
        { name: 'database', ok: true },
        { name: 'kafka', ok: false, code: 'kafka-unavailable' },
      ],
    });
  });

  it('is never ready for what the process is not there for', () => {
    const sut = createHealth({ roles: ['ingest'] });
    expect(sut.report()).toMatchObject({ role: 'ingest', ready: true });
    expect(sut.report('serve')).toMatchObject({ ready: false, checks: [{ name: 'role', ok: false }] });
  });

  it('asks nothing outside for a report, and is not ready before the first answer', async () => {
    const sut = createHealth();
    let asked = 0;
    const watching = sut.watch('database', async () => void (asked += 1));
    expect(sut.report().ready).toBe(false);
    await watching;
    for (let i = 0; i < 100; i += 1) expect(sut.report().ready).toBe(true);
    expect(asked).toBe(1);
  });

  it('says how old its knowledge is, and is not ready once that is too old', async () => {
    let nowMs = 0;
    const sut = createHealth({ now: () => nowMs });
    await sut.watch('database', async () => undefined);
    nowMs = HEALTH_MAX_AGE_MS;
    expect(sut.report()).toMatchObject({ ready: true, age_ms: HEALTH_MAX_AGE_MS });
    nowMs += 1;
    expect(sut.report()).toMatchObject({
      ready: false,
      age_ms: HEALTH_MAX_AGE_MS + 1,
      checks: [{ name: 'database', ok: false, code: 'stale' }],
    });
  });

  it('is not ready once the process is stopping', () => {
    const stopping = new AbortController();
    const sut = createHealth({ stopping: stopping.signal });
    expect(sut.report().ready).toBe(true);
    stopping.abort();
    expect(sut.report()).toMatchObject({ ready: false, checks: [{ name: 'process', code: 'shutting-down' }] });
  });
});
