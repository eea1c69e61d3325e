import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createLeaseKeeper, type LeaseKeeper } from './lease-keeper.js';
import type { NodeAnswer } from './node-client.js';
import { createGuardState, type GuardState } from '../state.js';

const GRANT_MS = 4_000;
const GRANTED: NodeAnswer = { status: 200, body: { grant_ms: GRANT_MS }, retryAfter: undefined };
const refusal = (error: string, retryAfter?: number): NodeAnswer => ({ status: 503, body: { error }, retryAfter });

interface Posted {
  readonly body: { readonly id: string; readonly held: string; readonly release?: true };
  readonly signal: AbortSignal;
  answer(answer: NodeAnswer): Promise<void>;
  fail(): Promise<void>;
}

/** Lets answers be received; no timer fires. */
const turn = (): Promise<void> => jest.advanceTimersByTimeAsync(0);

describe('the keeper of a lease', () => {
  let posted: Posted[];
  let problems: string[];
  let told: string[];
  let state: GuardState;
  let sut: LeaseKeeper;

  beforeEach(() => {
    jest.useFakeTimers({ now: 1_000 });
    [posted, problems, told] = [[], [], []];
    state = createGuardState({ maxTokens: 10 });
    state.openStream();
    state.started(1, 5n, '*', Date.now());
    sut = createLeaseKeeper({
      client: {
        postLease: (body, signal) =>
          new Promise((resolve, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason));
            posted.push({
              body: body as Posted['body'],
              signal,
              answer: (answer) => (resolve(answer), turn()),
              fail: () => (reject(Object.assign(new Error('away'), { code: 'ECONNREFUSED' })), turn()),
            });
          }),
        postForm: () => Promise.reject(new Error('not asked for')),
        openStream: () => Promise.reject(new Error('not asked for')),
      },
      state,
      clock: () => Date.now(),
      granted: () => told.push('granted'),
      slow: () => told.push('slow'),
      problem: (message, what) => problems.push(`${message} ${JSON.stringify(what)}`),
    });
  });
  afterEach(() => void jest.useRealTimers());

  const hear = (): void => state.heard(1, Date.now());
  /** Moves the clock; the stream sends something on the way, so that it counts as alive. */
  async function pass(ms: number): Promise<void> {
    await jest.advanceTimersByTimeAsync(ms);
    hear();
  }

  it('asks every half second, says what is held, and tells the state of the grant', async () => {
    sut.start();
    await pass(499);
    expect(posted).toHaveLength(0);
    await pass(1);
    expect(posted.map(({ body }) => body)).toEqual([{ id: expect.stringMatching(/^[\w-]{22}$/), held: '5' }]);
    expect(state.mayAnswer(Date.now())).toBe(false);
    await posted[0]!.answer(GRANTED);
    expect(told).toEqual(['granted']);
    expect(state.mayAnswer(Date.now())).toBe(true);
    expect(state.mayAnswer(1_500 + 0.75 * GRANT_MS)).toBe(false);
    await pass(500);
    expect(posted[1]!.body).toEqual(posted[0]!.body);
    expect(problems).toEqual([]);
  });

  it('asks one question at a time, and once more for all that was applied meanwhile', async () => {
    sut.renew();
    sut.renew();
    state.advanced(1, 6n);
    sut.renew();
    await turn();
    expect(posted).toHaveLength(1);
    await posted[0]!.answer(GRANTED);
    expect(posted.map(({ body }) => body.held)).toEqual(['5', '6']);
    await posted[1]!.answer(GRANTED);
    expect(posted).toHaveLength(2);
  });

  it('leaves no timer of a question that was answered', async () => {
    sut.renew();
    await turn();
    expect(jest.getTimerCount()).toBe(1);
    await posted[0]!.answer(GRANTED);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('asks nothing without a live stream', async () => {
    state.streamEnded(1);
    sut.renew();
    await turn();
    expect(posted).toHaveLength(0);
  });

  it('gives a question up after a second', async () => {
    sut.renew();
    await pass(999);
    expect(posted[0]!.signal.aborted).toBe(false);
    await pass(1);
    expect(posted[0]!.signal.aborted).toBe(true);
    expect(problems).toHaveLength(1);
  });

  it('asks again at once after a node that was behind, and says nothing of it', async () => {
    sut.renew();
    await posted[0]!.answer(refusal('behind', 9));
    sut.renew();
    expect(posted).toHaveLength(2);
    expect(problems).toEqual([]);
  });

  it('asks another node 100 ms after one that leaves', async () => {
    sut.renew();
    await posted[0]!.answer(refusal('leaving', 9));
    await pass(99);
    expect(posted).toHaveLength(1);
    await pass(1);
    expect(posted).toHaveLength(2);
    expect(problems).toEqual(['no lease {"status":503,"code":"leaving"}']);
    expect(told).toEqual([]);
  });

  it.each([
    ['for as long as the node says', refusal('no-role', 3), 3_000, []],
    ['for a second where it does not say', refusal('no-role'), 1_000, []],
    ['and has the stream opened anew when the node calls it slow', refusal('slow', 2), 2_000, ['slow']],
    [
      'after an answer that cannot be read',
      { status: 200, body: { grant_ms: 'long' }, retryAfter: undefined },
      1_000,
      [],
    ],
    ['after a grant under another status', { ...GRANTED, status: 500 }, 1_000, []],
  ])('is silent %s', async (_, answer, silentMs, expected) => {
    sut.renew();
    await posted[0]!.answer(answer);
    expect(problems).toHaveLength(1);
    expect(told).toEqual(expected);
    await pass(silentMs - 1);
    sut.renew();
    await turn();
    expect(posted).toHaveLength(1);
    await pass(1);
    sut.renew();
    await turn();
    expect(posted).toHaveLength(2);
  });

  it('takes another id after a reset, and first gives back the grant of the id before', async () => {
    sut.renew();
    await posted[0]!.answer(GRANTED);
    state.reset(1, 3n, '*', Date.now());
    sut.renew();
    await turn();
    expect(posted[1]!.body).toEqual({ id: posted[0]!.body.id, held: '0', release: true });
    await posted[1]!.answer({ status: 204, body: undefined, retryAfter: undefined });
    expect(posted[2]!.body).toEqual({ id: expect.not.stringMatching(posted[0]!.body.id), held: '3' });
    await posted[2]!.answer(GRANTED);
    sut.renew();
    await turn();
    expect(posted[3]!.body).toEqual(posted[2]!.body);
  });

  it('goes on under the new id when the old grant could not be given back', async () => {
    sut.renew();
    await posted[0]!.answer(GRANTED);
    state.reset(1, 3n, '*', Date.now());
    sut.renew();
    await turn();
    await posted[1]!.fail();
    expect(problems).toEqual(['a grant could not be given back, and ends by time {"code":"ECONNREFUSED"}']);
    expect(posted[2]!.body.held).toBe('3');
  });

  describe('when it stops', () => {
    async function stopped(): Promise<void> {
      state.stop();
      const stopping = sut.stop();
      await turn();
      const release = posted.find(({ body }) => body.release);
      await release?.answer({ status: 204, body: undefined, retryAfter: undefined });
      await stopping;
    }
    const released = (): unknown[] => posted.filter(({ body }) => body.release).map(({ body }) => body);

    it('gives a grant back that still runs, and asks nothing more', async () => {
      sut.start();
      await pass(500);
      await posted[0]!.answer(GRANTED);
      await stopped();
      expect(released()).toEqual([{ id: posted[0]!.body.id, held: '0', release: true }]);
      sut.renew();
      await pass(5_000);
      expect(posted).toHaveLength(2);
      expect(jest.getTimerCount()).toBe(0);
    });

    it.each([
      ['gives back', 'its last millisecond', GRANT_MS - 1, 1],
      ['keeps', 'its end', GRANT_MS, 0],
    ])('%s a grant at %s', async (_, __, afterMs, releases) => {
      sut.renew();
      await posted[0]!.answer(GRANTED);
      await pass(afterMs);
      await stopped();
      expect(released()).toHaveLength(releases);
    });

    it('gives nothing back when nothing was asked', async () => {
      await stopped();
      expect(posted).toHaveLength(0);
    });

    // The longest lease of a node is 30 s, and a guard gets three quarters of it.
    it.each([
      [22_499, 1],
      [22_500, 0],
    ])('gives back what may have been granted unheard %i ms before: %i times', async (afterMs, releases) => {
      sut.renew();
      await posted[0]!.fail();
      expect(problems).toEqual(['no answer to a renewal {"code":"ECONNREFUSED"}']);
      await pass(afterMs);
      await stopped();
      expect(released()).toHaveLength(releases);
    });

    it('ends the question under way, which is no problem, and gives back what it may have been granted', async () => {
      sut.renew();
      await turn();
      await stopped();
      expect(posted[0]!.signal.aborted).toBe(true);
      expect(problems).toEqual([]);
      expect(released()).toHaveLength(1);
    });

    it('does not ask under a life that begins meanwhile', async () => {
      sut.renew();
      await posted[0]!.answer(GRANTED);
      state.reset(1, 3n, '*', Date.now());
      sut.renew();
      await turn();
      state.stop();
      const stopping = sut.stop();
      await turn();
      await stopping;
      expect(posted.filter(({ body }) => body.release === undefined)).toHaveLength(1);
    });
  });
});
