import { describe, expect, it } from '@jest/globals';
import { createGrantsBook, SLOW_REFUSED_MS, type GrantsBook } from './grants-book.js';

const GRANT_MS = 3_000;
const IN_TIME = false;
const LATE = true;

/** Asks, and takes the grant if it may. */
function ask(sut: GrantsBook, guard: string, isLate: boolean, now: number, caller = 'c', tenant = 't'): string {
  const verdict = sut.judge({ caller, tenant }, guard, isLate, now);
  if (!verdict.may) return verdict.error;
  sut.granted({ caller, tenant }, guard, now + GRANT_MS);
  return 'granted';
}

describe('who may ask for a grant', () => {
  it('a guard in time always', () => {
    const sut = createGrantsBook();
    for (let now = 0; now < 10_000; now += 500) expect(ask(sut, 'g', IN_TIME, now)).toBe('granted');
  });

  it('one that is late while its grant runs once, and not twice in a row; then not for a while', () => {
    const sut = createGrantsBook();
    const said = [IN_TIME, LATE, IN_TIME, LATE, LATE, IN_TIME].map((isLate, at) => ask(sut, 'g', isLate, at * 500));
    expect(said).toEqual(['granted', 'granted', 'granted', 'granted', 'slow', 'slow']);
    const refusedAt = 4 * 500;
    expect(ask(sut, 'g', IN_TIME, refusedAt + SLOW_REFUSED_MS - 1)).toBe('slow');
    expect(ask(sut, 'g', IN_TIME, refusedAt + SLOW_REFUSED_MS)).toBe('granted');
  });

  it('one that holds none and is late not at all: a chain of fresh ids holds up no order', () => {
    const sut = createGrantsBook();
    expect(ask(sut, 'g', IN_TIME, 0)).toBe('granted');
    expect(ask(sut, 'g', LATE, GRANT_MS)).toBe('behind');
    expect(ask(sut, 'fresh', LATE, GRANT_MS)).toBe('behind');
    sut.granted({ caller: 'c', tenant: 't' }, 'released', GRANT_MS + 10_000);
    sut.released('c', 'released');
    expect(ask(sut, 'released', LATE, GRANT_MS + 1)).toBe('behind');
  });

  it('after a refusal no fresh id of the caller, though its other guards and other callers go on', () => {
    const sut = createGrantsBook();
    for (const guard of ['slow', 'honest']) ask(sut, guard, IN_TIME, 0);
    ask(sut, 'slow', LATE, 500);
    expect(ask(sut, 'slow', LATE, 1_000)).toBe('slow');
    expect([
      ask(sut, 'fresh', IN_TIME, 1_100),
      ask(sut, 'honest', IN_TIME, 1_100),
      ask(sut, 'fresh', IN_TIME, 1_100, 'other'),
    ]).toEqual(['slow', 'granted', 'granted']);
    expect(ask(sut, 'fresh', IN_TIME, 1_000 + SLOW_REFUSED_MS)).toBe('granted');
  });

  it('says how long it is refused', () => {
    const sut = createGrantsBook();
    ask(sut, 'g', IN_TIME, 0);
    ask(sut, 'g', LATE, 500);
    sut.judge({ caller: 'c', tenant: 't' }, 'g', LATE, 1_000);
    expect(sut.judge({ caller: 'c', tenant: 't' }, 'g', IN_TIME, 11_000)).toEqual({
      may: false,
      error: 'slow',
      retryAfterMs: SLOW_REFUSED_MS - 10_000,
    });
  });

  it('only so many guards of a caller; those whose grant has ended make room', () => {
    const sut = createGrantsBook({ maxGuards: 2 });
    expect([ask(sut, 'a', IN_TIME, 0), ask(sut, 'b', IN_TIME, 1_000), ask(sut, 'c', IN_TIME, 1_000)]).toEqual([
      'granted',
      'granted',
      'full',
    ]);
    expect([ask(sut, 'a', IN_TIME, 1_000), ask(sut, 'c', IN_TIME, 1_000, 'other')]).toEqual(['granted', 'granted']);
    expect([sut.running(1_000), sut.running(1_000 + GRANT_MS)]).toEqual([3, 0]);
    expect([ask(sut, 'c', IN_TIME, 1_000 + GRANT_MS), sut.running(1_000 + GRANT_MS)]).toEqual(['granted', 1]);
  });

  it('keeps nothing of what is over but the refusals that last', () => {
    const sut = createGrantsBook();
    ask(sut, 'g', IN_TIME, 0);
    ask(sut, 'g', LATE, 500);
    ask(sut, 'g', LATE, 1_000);
    sut.prune(1_000 + GRANT_MS);
    expect(ask(sut, 'g', IN_TIME, 1_000 + GRANT_MS)).toBe('slow');
    sut.prune(1_000 + SLOW_REFUSED_MS);
    expect(sut.running(1_000 + SLOW_REFUSED_MS)).toBe(0);
    expect(ask(sut, 'g', IN_TIME, 1_000 + SLOW_REFUSED_MS)).toBe('granted');
  });

  it('no more of one tenant than its share, whatever its callers; ended ones make room, and another tenant has its own', () => {
    const sut = createGrantsBook({ maxGuardsATenant: 3 });
    expect(['a', 'b', 'c', 'd'].map((caller) => ask(sut, 'g', IN_TIME, 0, caller))).toEqual([
      'granted',
      'granted',
      'granted',
      'full',
    ]);
    expect(ask(sut, 'g', IN_TIME, 500, 'a')).toBe('granted');
    expect(ask(sut, 'g', IN_TIME, 500, 'e', 'another')).toBe('granted');
    expect(ask(sut, 'g', IN_TIME, GRANT_MS, 'd')).toBe('granted');
  });
});
