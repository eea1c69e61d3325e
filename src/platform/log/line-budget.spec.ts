import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createLog } from './log.js';
import { LINES_A_KIND, MAX_KINDS, WINDOW_MS } from './line-budget.js';

let lines: Record<string, unknown>[];
let log: ReturnType<typeof createLog>;
beforeEach(() => {
  jest.useFakeTimers();
  lines = [];
  log = createLog({
    level: 'trace',
    repeatAfterMs: 0,
    destination: { write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>) },
  });
});
afterEach(() => {
  jest.useRealTimers();
});

const SUMMARY = 'lines of the log were left out: there were too many of one kind';

describe('lines of one kind', () => {
  it('are written some times in a window, and then counted', () => {
    for (let i = 0; i < LINES_A_KIND + 480; i += 1)
      log.warn({ err: new Error('Query read timeout'), i }, 'cannot renew the lease; retrying');
    expect(lines).toHaveLength(LINES_A_KIND);
    jest.advanceTimersByTime(WINDOW_MS);
    expect(lines.slice(LINES_A_KIND)).toMatchObject([
      { level: 'warn', msg: SUMMARY, kind: '40 cannot renew the lease; retrying', lines: 480 },
    ]);
    log.warn('cannot renew the lease; retrying');
    expect(lines.at(-1)).toMatchObject({ msg: 'cannot renew the lease; retrying' });
  });

  it('are so whatever child wrote them and whatever numbers are in them', () => {
    for (let i = 0; i < 100; i += 1) log.child({ i }).error(`connection ${i} refused`);
    expect(lines).toHaveLength(LINES_A_KIND);
  });

  it('do not take room from other kinds or levels', () => {
    for (let i = 0; i < 100; i += 1) log.error('one');
    log.error('other');
    log.info('one');
    expect(lines).toHaveLength(LINES_A_KIND + 2);
  });

  it('are bounded also where every line has a text of its own', () => {
    const letters = (n: number): string =>
      String.fromCodePoint(97 + (n % 26), 97 + (Math.floor(n / 26) % 26), 97 + Math.floor(n / 676));
    for (let i = 0; i < 5_000; i += 1) log.info(`text ${letters(i)}`);
    expect(lines).toHaveLength(MAX_KINDS + LINES_A_KIND);
  });

  it('are all written below info, which somebody has asked for', () => {
    for (let i = 0; i < 100; i += 1) log.debug('one');
    expect(lines).toHaveLength(100);
  });

  it('leave no word of what was left out where nothing was', () => {
    log.warn('one');
    jest.advanceTimersByTime(2 * WINDOW_MS);
    expect(lines).toHaveLength(1);
  });
});
