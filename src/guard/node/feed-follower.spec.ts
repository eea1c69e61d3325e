import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createFeedFollower, type FeedFollower } from './feed-follower.js';
import { createGuardState, type GuardState } from '../state.js';
import { ruleKeyFromBytes } from '../../rules/index.js';
import { writeKey } from './wire.js';

interface Opened {
  readonly query: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Answers 200 with a stream that the spec writes to. */
  begin(): Promise<void>;
  refuse(status: number, headers?: Record<string, string>): Promise<void>;
  /** Answers 200 without a stream. */
  beginNothing(): Promise<void>;
  fail(): Promise<void>;
  say(text: string): Promise<void>;
  end(): Promise<void>;
}

const key = (name: string) => ruleKeyFromBytes(Buffer.alloc(16, name));
const event = (name: string, id: number, data: object): string =>
  `event: ${name}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`;
const start = (seq: number, interest: unknown = '*'): string => event('start', seq, { seq: String(seq), interest });
const KEEP_MS = 60_000;

/** Lets streams and promises proceed as far as they can; no timer fires. */
async function turn(): Promise<void> {
  for (let at = 0; at < 20; at++) await new Promise((resolve) => setImmediate(resolve));
}

describe('the follower of a feed', () => {
  let opened: Opened[];
  let problems: string[];
  let applied: number;
  let state: GuardState;
  let sut: FeedFollower;

  beforeEach(() => {
    jest.useFakeTimers({ now: 1_000, doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
    // Chooses the shortest of the random waits.
    jest.spyOn(Math, 'random').mockReturnValue(0);
    [opened, problems, applied] = [[], [], 0];
    state = createGuardState({ maxTokens: 10 });
    sut = createFeedFollower({
      client: {
        openStream: (path, query, signal) =>
          path === '/feed'
            ? new Promise((resolve, reject) => opened.push(open(query, signal, resolve, reject)))
            : Promise.reject(new Error(path)),
        postForm: () => Promise.reject(new Error('not asked for')),
        postLease: () => Promise.reject(new Error('not asked for')),
      },
      state,
      clock: () => Date.now(),
      applied: () => applied++,
      problem: (message, what) => problems.push(`${message} ${JSON.stringify(what)}`),
    });
  });
  afterEach(async () => {
    sut.stop();
    await turn();
    jest.restoreAllMocks();
    jest.useRealTimers();
  });

  function open(
    query: Opened['query'],
    signal: AbortSignal,
    resolve: (response: Response) => void,
    reject: (error: unknown) => void,
  ): Opened {
    let body: ReadableStreamDefaultController<Uint8Array>;
    const stream = new ReadableStream<Uint8Array>({
      start(controller) {
        body = controller;
      },
    });
    signal.addEventListener('abort', () => {
      reject(signal.reason);
      try {
        body.error(signal.reason);
      } catch {
        // The stream had ended.
      }
    });
    return {
      query,
      signal,
      begin: () => (resolve(new Response(stream)), turn()),
      refuse: (status, headers = {}) => (resolve(new Response('no', { status, headers })), turn()),
      beginNothing: () => (resolve(new Response(null)), turn()),
      fail: () => (reject(Object.assign(new Error('away'), { code: 'ECONNREFUSED' })), turn()),
      say: (text) => (body.enqueue(Buffer.from(text)), turn()),
      end: () => (body.close(), turn()),
    };
  }

  async function pass(ms: number): Promise<void> {
    jest.advanceTimersByTime(ms);
    await turn();
  }

  async function started(text = start(5)): Promise<Opened> {
    sut.start();
    const first = opened[0]!;
    await first.begin();
    await first.say(text);
    return first;
  }

  /** Asks about a token of a resource that the stream leaves out. */
  function meet(resource: string): void {
    const { held } = state;
    state.leaseGranted(state.askLease(Date.now())!, KEEP_MS);
    const sets = Array.from({ length: 16 }, () => [key(resource)]);
    state.answered(
      state.ask(Date.now()),
      'a token',
      { answer: { state: 'active', claims: {} }, keep: { seq: held!, keepMs: KEEP_MS, sets } },
      Date.now(),
    );
  }

  it('begins from nothing, applies what comes in order, and says once what came together', async () => {
    const first = await started();
    expect(first.query).toEqual({});
    expect([state.held, applied]).toEqual([5n, 1]);
    await first.say(
      event('seq', 6, {}) + event('rule', 7, { shape: 1, key: writeKey(key('r')) }) + event('seq', 8, {}),
    );
    expect([state.held, state.selectors, applied]).toEqual([8n, 1, 2]);
    await first.say(': nothing\n\n');
    await first.say('event: seq\nid: 9\n');
    expect([state.held, applied]).toEqual([8n, 2]);
    await first.say('data: {}\n\n');
    expect([state.held, applied]).toEqual([9n, 3]);
    await first.say(event('forget', 10, { all: true }));
    expect([state.held, state.counts.resets]).toEqual([10n, 0]);
    await first.say(event('reset', 4, { seq: '4', interest: '*' }));
    expect([state.held, state.counts.resets, problems]).toEqual([4n, 1, []]);
  });

  it('goes on from what is held, soon after a stream that had started', async () => {
    const first = await started();
    jest.spyOn(Math, 'random').mockReturnValue(1);
    await first.end();
    expect(state.isLive(Date.now())).toBe(false);
    await pass(99);
    expect(opened).toHaveLength(1);
    await pass(1);
    expect(opened.map(({ query }) => query)).toEqual([{}, { after: '5' }]);
    expect(problems).toEqual([]);
  });

  it('waits twice as long after each failure, up to five seconds and half of that at least', async () => {
    sut.start();
    for (const waitMs of [50, 100, 200, 400, 800, 1_600, 2_500, 2_500]) {
      const before = opened.length;
      await opened.at(-1)!.fail();
      await pass(waitMs - 1);
      expect(opened).toHaveLength(before);
      await pass(1);
      expect(opened).toHaveLength(before + 1);
    }
    expect(problems[0]).toBe('the feed broke off {"code":"ECONNREFUSED"}');
    jest.spyOn(Math, 'random').mockReturnValue(1);
    await opened.at(-1)!.fail();
    await pass(4_999);
    expect(opened).toHaveLength(9);
    await pass(1);
    expect(opened).toHaveLength(10);
  });

  it('spreads its waits evenly between half and the whole, and leaves no other timer behind', async () => {
    await started();
    jest.spyOn(Math, 'random').mockReturnValue(0.5);
    await opened[0]!.end();
    expect(jest.getTimerCount()).toBe(1);
    await pass(50);
    await opened[1]!.fail();
    expect(jest.getTimerCount()).toBe(1);
    await pass(74);
    expect(opened).toHaveLength(2);
    await pass(1);
    expect(opened).toHaveLength(3);
  });

  it('begins with short waits again once a stream has started', async () => {
    sut.start();
    for (const waitMs of [50, 100, 200]) {
      await opened.at(-1)!.fail();
      await pass(waitMs);
    }
    await opened.at(-1)!.begin();
    await opened.at(-1)!.say(start(5));
    await opened.at(-1)!.end();
    await pass(0);
    expect(opened).toHaveLength(5);
  });

  it('waits as long as a node that refuses asks', async () => {
    sut.start();
    await opened[0]!.refuse(503, { 'retry-after': '2' });
    await pass(1_999);
    expect(opened).toHaveLength(1);
    await pass(1);
    expect(opened).toHaveLength(2);
    expect(problems).toEqual(['the feed is refused {"status":503}']);
    await opened[1]!.refuse(403);
    await pass(99);
    expect(opened).toHaveLength(2);
    await pass(1);
    expect(opened).toHaveLength(3);
  });

  it('takes an answer without a stream for one that has ended', async () => {
    sut.start();
    await opened[0]!.beginNothing();
    await pass(50);
    expect([opened.length, problems]).toEqual([2, []]);
  });

  it('gives a stream up that has not begun in five seconds', async () => {
    sut.start();
    await pass(4_999);
    expect(opened[0]!.signal.aborted).toBe(false);
    await pass(1);
    expect(opened[0]!.signal.aborted).toBe(true);
    await pass(50);
    expect(opened).toHaveLength(2);
  });

  it('gives a stream up that is silent for twelve seconds; a comment is no silence', async () => {
    const first = await started();
    await pass(11_999);
    await first.say(': here\n\n');
    expect(state.isLive(Date.now() + 11_999)).toBe(true);
    await pass(11_999);
    expect(first.signal.aborted).toBe(false);
    await pass(1);
    expect(first.signal.aborted).toBe(true);
    expect(state.isLive(Date.now())).toBe(false);
    expect(problems).toEqual([expect.stringMatching(/^the feed broke off/)]);
  });

  it('gives a stream up that cannot be read, and keeps what it said before', async () => {
    const first = await started();
    await first.say(event('seq', 6, {}) + 'event: start\nid: x\ndata: {}\n\n');
    expect(first.signal.aborted).toBe(true);
    expect(state.held).toBe(6n);
    expect(problems).toEqual(['the feed broke off {"code":"TypeError"}']);
    await pass(0);
    expect(opened[1]!.query).toEqual({ after: '6' });
  });

  describe('a wider stream', () => {
    it('is opened when tokens of other resources are met, 200 ms after the first, and replaces the one before when it has started', async () => {
      const first = await started(start(5, []));
      sut.widen();
      await pass(1_000);
      expect(opened).toHaveLength(1);
      meet('b');
      sut.widen();
      await pass(199);
      sut.widen();
      expect(opened).toHaveLength(1);
      await pass(1);
      expect(opened[1]!.query).toEqual({ after: '5', also: writeKey(key('b')) });
      await opened[1]!.begin();
      expect(first.signal.aborted).toBe(false);
      await first.say(event('seq', 6, {}));
      expect(state.held).toBe(6n);
      await opened[1]!.say(start(6, [writeKey(key('b'))]));
      expect(first.signal.aborted).toBe(true);
      expect(opened[1]!.signal.aborted).toBe(false);
      await pass(10_000);
      expect(opened).toHaveLength(2);
      expect([state.isLive(Date.now()), problems]).toEqual([true, []]);
    });

    it('that cannot be opened is tried again after five seconds while the one before goes on', async () => {
      await started(start(5, []));
      meet('b');
      sut.widen();
      await pass(200);
      await opened[1]!.fail();
      await pass(4_999);
      expect(opened).toHaveLength(2);
      expect(state.isLive(Date.now())).toBe(true);
      await pass(1);
      expect(opened).toHaveLength(3);
    });

    it('asks for everything beyond so many resources', async () => {
      await started(start(5, []));
      for (let at = 0; at < 257; at++) meet(`resource ${at}`);
      sut.widen();
      await pass(200);
      expect(opened[1]!.query['also']).toBe('*');
    });
  });

  it('is opened anew when it is said to be slow', async () => {
    const first = await started();
    sut.reconnect();
    await turn();
    expect(first.signal.aborted).toBe(true);
    await pass(0);
    expect(opened).toHaveLength(2);
  });

  it('ends for good when it is stopped, with no word of a problem', async () => {
    const first = await started(start(5, []));
    meet('b');
    sut.widen();
    sut.stop();
    await turn();
    expect(first.signal.aborted).toBe(true);
    await pass(60_000);
    expect([opened.length, problems, jest.getTimerCount()]).toEqual([1, [], 0]);
  });
});
