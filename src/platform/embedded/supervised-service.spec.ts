import { afterEach, describe, expect, it } from '@jest/globals';
import type { RescindError } from '../../contracts/index.js';
import { createLog } from '../log/index.js';
import { startService, type ServiceProcess } from './service-process.js';
import { superviseService, type SupervisedService } from './supervised-service.js';

const log = createLog({ level: 'silent' });
/** Starts a service that runs until it is told to end. */
const sleeper = (): Promise<ServiceProcess> => run('exec sleep 600');
const broken = (): Promise<ServiceProcess> => run('exit 3');
const run = (script: string): Promise<ServiceProcess> =>
  startService({
    name: 'sample',
    command: '/bin/sh',
    args: ['-c', script],
    stopSignal: 'SIGTERM',
    stopTimeoutMs: 5_000,
    log,
  });

describe('a supervised service', () => {
  let sut: SupervisedService | undefined;
  afterEach(() => sut?.stop());

  async function supervise(
    restart: (signal: AbortSignal) => Promise<ServiceProcess>,
    more: { delaysMs?: readonly number[]; wellAfterMs?: number } = {},
  ) {
    const said: string[] = [];
    const first = await sleeper();
    const givenUp = new Promise<RescindError>((resolve) => {
      sut = superviseService({
        name: 'Sample',
        code: 'database-unavailable',
        first,
        restart,
        log,
        onGivenUp: resolve,
        say: (line) => said.push(line),
        delaysMs: [0, 1, 1],
        ...more,
      });
    });
    return { first, said, givenUp };
  }
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  it('is started again when it is killed, and both is said once', async () => {
    const { first, said } = await supervise(sleeper);
    process.kill(first.pid, 'SIGKILL');
    await until(() => said.length === 2);
    expect(said).toEqual(['Sample ended unexpectedly; starting it again', 'Sample runs again']);
    expect(sut!.pid).not.toBe(first.pid);
  });

  it('is tried again while it cannot start', async () => {
    let tries = 0;
    const { first, said } = await supervise(() =>
      ++tries < 3 ? Promise.reject(new Error('the port is taken')) : sleeper(),
    );
    process.kill(first.pid, 'SIGKILL');
    await until(() => said.length === 2);
    expect(tries).toBe(3);
  });

  it('is given up after so many tries', async () => {
    let tries = 0;
    const { first, givenUp } = await supervise(() => {
      tries += 1;
      return Promise.reject(new Error('the port is taken'));
    });
    process.kill(first.pid, 'SIGKILL');
    const error = await givenUp;
    expect(error.code).toBe('database-unavailable');
    expect(error.detail).toContain('3 tries: the port is taken');
    expect(tries).toBe(3);
  });

  it('is given up when it ends again and again soon after it has started', async () => {
    const { first, givenUp } = await supervise(broken);
    process.kill(first.pid, 'SIGKILL');
    expect((await givenUp).detail).toContain('exit code 3');
  });

  it('has all the tries again once it ran for long enough', async () => {
    let tries = 0;
    const { first, said } = await supervise(() => (++tries < 6 ? broken() : sleeper()), { wellAfterMs: 0 });
    process.kill(first.pid, 'SIGKILL');
    await until(() => said.filter((line) => line.endsWith('runs again')).length === 6);
  });

  it('is not started again when it is stopped', async () => {
    const { first, said } = await supervise(sleeper);
    await sut!.stop();
    expect(first.ended()).toBeDefined();
    expect(said).toEqual([]);
  });

  it.each([
    ['between two tries', { delaysMs: [60_000] }, sleeper],
    [
      'in the middle of a try',
      {},
      (signal: AbortSignal) =>
        new Promise<ServiceProcess>((_, reject) =>
          signal.addEventListener('abort', () => reject(new Error('aborted'))),
        ),
    ],
  ])('stops at once %s', async (_, more, restart) => {
    const { first, said } = await supervise(restart, more);
    process.kill(first.pid, 'SIGKILL');
    await until(() => said.length === 1);
    await sut!.stop();
    expect(said).toHaveLength(1);
  });
});
