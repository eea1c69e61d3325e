import { describe, expect, it, jest } from '@jest/globals';
import { createTurns, TURN_TIMEOUT_MS, type Turns } from './turns.js';

const here = new AbortController().signal;
/** Some promises are still pending when their spec ends. */
const ignore = (): void => undefined;
const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Asks for turns, and records which have begun. */
function sut(options: Parameters<typeof createTurns>[0]) {
  const turns: Turns = createTurns({ isBusy: () => false, ...options });
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  async function ask(tenant: string, id: string, nth = 0, signal = here): Promise<void> {
    const end = await turns.take({ tenant, id }, signal);
    const name = `${tenant}/${id}/${nth}`;
    begun.push(name);
    ends.set(name, end);
  }
  return { turns, begun, ask, end: (name: string) => ends.get(name)!() };
}

describe('turns of questions', () => {
  it('begin at once while there is room, and one tenant leaves a turn for another', async () => {
    const { begun, ask } = sut({ atOnce: 3 });
    for (let nth = 0; nth < 5; nth += 1) ask('a', 'x', nth).catch(ignore);
    await soon();
    expect(begun).toEqual(['a/x/0', 'a/x/1']);
    ask('b', 'y').catch(ignore);
    await soon();
    expect(begun).toEqual(['a/x/0', 'a/x/1', 'b/y/0']);
  });

  it('go to the tenant that has least running, then to its caller that has least, then by time', async () => {
    const { begun, ask, end } = sut({ atOnce: 3 });
    ask('a', 'x', 0).catch(ignore);
    ask('b', 'y', 0).catch(ignore);
    ask('b', 'y', 1).catch(ignore);
    await soon();
    for (const [tenant, id, nth] of [
      ['b', 'y', 2],
      ['a', 'x', 1],
      ['a', 'z', 0],
      ['c', 'w', 0],
    ] as const)
      ask(tenant, id, nth).catch(ignore);
    end('b/y/1');
    await soon();
    expect(begun.at(-1)).toBe('c/w/0');
    end('b/y/0');
    await soon();
    expect(begun.at(-1)).toBe('b/y/2');
    end('c/w/0');
    await soon();
    expect(begun.at(-1)).toBe('a/z/0');
  });

  it('end once, however often they are said to', async () => {
    const { turns, ask, end } = sut({ atOnce: 2 });
    await ask('a', 'x');
    end('a/x/0');
    end('a/x/0');
    expect(turns.running).toBe(0);
  });

  it('are given up when the client leaves, and refused when they do not come in time', async () => {
    jest.useFakeTimers();
    try {
      const { turns, ask } = sut({ atOnce: 1 });
      ask('a', 'x').catch(ignore);
      const leaving = new AbortController();
      const left = expect(ask('a', 'x', 1, leaving.signal)).rejects.toMatchObject({ code: 'overloaded' });
      const late = expect(ask('a', 'x', 2)).rejects.toMatchObject({
        code: 'overloaded',
        detail: expect.stringContaining('no turn within 10 s'),
      });
      expect(turns.waiting).toBe(2);
      leaving.abort();
      await left;
      expect(turns.waiting).toBe(1);
      jest.advanceTimersByTime(TURN_TIMEOUT_MS);
      await late;
      expect(turns.waiting).toBe(0);
    } finally {
      jest.useRealTimers();
    }
  });

  it('rest while a crowd waits and the event loop is busy; few questions do not', async () => {
    let isBusy = true;
    const { begun, ask, end } = sut({ atOnce: 2, isBusy: () => isBusy });
    for (let nth = 0; nth < 3; nth += 1) ask('a', 'x', nth).catch(ignore);
    await soon();
    end('a/x/0');
    await soon();
    expect(begun).toEqual(['a/x/0', 'a/x/1']);
    for (let nth = 3; nth < 15; nth += 1) ask('a', 'x', nth).catch(ignore);
    end('a/x/1');
    await soon();
    expect(begun).toHaveLength(2);
    isBusy = false;
    while (begun.length === 2) await soon();
    expect(begun.at(-1)).toBe('a/x/2');
  });
});
