import { describe, expect, it } from '@jest/globals';
import { INACTIVE, type Answer } from '../answer.js';
import { createQuestions } from './questions.js';

interface Sent {
  readonly text: string;
  readonly signal: AbortSignal;
  answer(answer: Answer): void;
  fail(): void;
}

function asking(over: { maxQuestions?: number; maxWaiting?: number; timeoutMs?: number } = {}) {
  const sent: Sent[] = [];
  const sut = createQuestions({
    send: (text, _hint, signal) =>
      new Promise((resolve, reject) =>
        sent.push({ text, signal, answer: resolve, fail: () => reject(new Error('no')) }),
      ),
    maxQuestions: over.maxQuestions ?? 2,
    maxWaiting: over.maxWaiting ?? 4,
    timeoutMs: over.timeoutMs ?? 10_000,
  });
  return { sut, sent };
}
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('questions to the node', () => {
  it('are shared by calls of one turn, and by none that comes after they were sent', async () => {
    const { sut, sent } = asking();
    const calls = [sut.ask('a'), sut.ask('a')];
    await turn();
    expect(sent).toHaveLength(1);
    const late = sut.ask('a');
    await turn();
    expect(sent).toHaveLength(2);
    sent[0]!.answer(INACTIVE);
    sent[1]!.answer({ state: 'active', claims: {} });
    expect(await Promise.all(calls)).toEqual([INACTIVE, INACTIVE]);
    expect((await late).state).toBe('active');
  });

  it('are not shared under another hint', async () => {
    const { sut, sent } = asking();
    void sut.ask('a');
    void sut.ask('a', 'access_token');
    await turn();
    expect(sent).toHaveLength(2);
    sut.stop();
  });

  it('are so many at once; what waits is sent in order, and is joined until then', async () => {
    const { sut, sent } = asking();
    for (const text of ['a', 'b', 'c', 'd']) void sut.ask(text);
    await turn();
    void sut.ask('d');
    void sut.ask('c');
    expect([sut.underWay, sut.waiting]).toEqual([2, 2]);
    sent[1]!.answer(INACTIVE);
    await turn();
    await turn();
    expect(sent.map(({ text }) => text)).toEqual(['a', 'b', 'c']);
    sut.stop();
  });

  it('beyond what may wait are unavailable at once', async () => {
    const { sut } = asking({ maxWaiting: 2 });
    void sut.ask('a');
    void sut.ask('b');
    expect(await sut.ask('c')).toEqual({ state: 'unavailable', retryAfter: 1 });
    sut.stop();
  });

  it('end by their time, under way or waiting, and let the next one go', async () => {
    const { sut, sent } = asking({ maxQuestions: 1, timeoutMs: 30 });
    const answers = await Promise.all([sut.ask('a'), sut.ask('b')]);
    expect(answers.map(({ state }) => state)).toEqual(['unavailable', 'unavailable']);
    expect(sent.map(({ signal }) => signal.aborted)).toEqual([true]);
    expect(sut.waiting).toBe(0);
    sent[0]!.fail();
    await turn();
    expect(sut.underWay).toBe(0);
    const next = sut.ask('c');
    await turn();
    sent[1]!.answer(INACTIVE);
    expect(await next).toBe(INACTIVE);
  });

  it('whose time ends under way leave the next question about the same token where it waits', async () => {
    const { sut, sent } = asking({ maxQuestions: 1, timeoutMs: 100 });
    const first = sut.ask('a');
    await turn();
    await new Promise((resolve) => setTimeout(resolve, 20));
    const second = sut.ask('a');
    expect((await first).state).toBe('unavailable');
    expect(sut.waiting).toBe(1);
    sent[0]!.fail();
    await turn();
    await turn();
    sent[1]!.answer(INACTIVE);
    expect(await second).toBe(INACTIVE);
  });

  it('that fail are unavailable', async () => {
    const { sut, sent } = asking();
    const answer = sut.ask('a');
    await turn();
    sent[0]!.fail();
    expect((await answer).state).toBe('unavailable');
  });

  it('after the stop are unavailable, like those that were under way', async () => {
    // Their own time limit does not end them.
    const { sut, sent } = asking({ maxQuestions: 1, timeoutMs: 600_000 });
    const calls = [sut.ask('a'), sut.ask('b')];
    await turn();
    sut.stop();
    expect((await Promise.all([...calls, sut.ask('c')])).map(({ state }) => state)).toEqual([
      'unavailable',
      'unavailable',
      'unavailable',
    ]);
    expect(sent[0]!.signal.aborted).toBe(true);
  });
});
