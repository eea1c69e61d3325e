import { INACTIVE, unavailable, type Answer } from './answer.js';
import { checkLimits } from '../emit/index.js';
import { createFeedFollower } from './node/feed-follower.js';
import { createLeaseClock } from '../lease/index.js';
import {
  DEFAULT_MAX_QUESTIONS,
  DEFAULT_MAX_TOKENS,
  DEFAULT_MAX_WAITING,
  DEFAULT_TIMEOUT_MS,
  MAX_TOKEN_LENGTH,
  type GuardOptions,
} from './guard-options.js';
import { createLeaseKeeper } from './node/lease-keeper.js';
import { createNodeClient, type NodeAnswer } from './node/node-client.js';
import { createProblemLog, failureCode } from './problem-log.js';
import { createQuestions } from './node/questions.js';
import { createGuardState } from './state.js';
import { readErrorCode, readTokenAnswer } from './node/wire.js';

/** Milliseconds before a question is repeated: to a node that was behind, or after a connection that broke. */
const ASK_AGAIN_MS = [10, 50, 150];

/** Checks access tokens: from memory while a node's lease allows it, else by asking the node. */
export interface Guard {
  /** Connects to the node. Until it is called, every check asks the node. Throws `TypeError` after `stop`. */
  start(): void;
  /**
   * Resolves to true once the first lease is granted (in mode `introspect`: at `start`), or to false if the guard is stopped before.
   * Waiting for it is not necessary.
   */
  readonly ready: Promise<boolean>;
  /**
   * Checks a token. `hint` is RFC 7662's `token_type_hint`. Returns an answer at once if the guard may decide from memory, else a promise
   * that never rejects.
   *
   * Guarantee: when Rescind has answered a revocation, no check that begins afterwards returns `active` for a token that the revocation
   * covers.
   */
  check(token: string, hint?: string): Answer | Promise<Answer>;
  /** Gives the lease back, so that no revocation waits for it, and ends. Later checks are `unavailable`. */
  stop(): Promise<void>;
  stats(): GuardStats;
}

/** Counts and state of a guard at one moment. */
export interface GuardStats {
  /** Whether checks may be answered from memory now: there are a lease and a live stream. */
  readonly local: boolean;
  /** Whether a stream of the feed is open and was heard within the last 12 s. */
  readonly connected: boolean;
  /** `seq` of the last control record that was applied, a decimal string. */
  readonly held: string | undefined;
  /** Tokens remembered now. */
  readonly tokens: number;
  /** Selectors of rules remembered now. */
  readonly selectors: number;
  /** Checks answered from memory, since the start. */
  readonly hits: number;
  /** Requests to the node about tokens, repetitions included, since the start. */
  readonly asked: number;
  /** Checks answered `unavailable`, since the start. */
  readonly unavailable: number;
  /**
   * Counts since the start: answers remembered, tokens forgotten because a change concerned them, and resets, each of which forgets all
   * tokens.
   */
  readonly kept: number;
  readonly forgotten: number;
  readonly resets: number;
  /** Questions sent and not yet answered. */
  readonly questionsUnderWay: number;
  /** Questions not yet sent. */
  readonly questionsWaiting: number;
}

/** Creates a guard. Throws `TypeError` for options that cannot be right. The guard connects when `start` is called. */
export function createGuard(options: GuardOptions): Guard {
  const { mode = 'local', maxTokens = DEFAULT_MAX_TOKENS, maxQuestions = DEFAULT_MAX_QUESTIONS } = options;
  const { maxWaiting = DEFAULT_MAX_WAITING, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  checkLimits({ maxTokens, maxQuestions, maxWaiting, timeoutMs });
  if (mode !== 'local' && mode !== 'introspect') throw new TypeError('`mode` must be `local` or `introspect`');
  const isLocal = mode === 'local';
  const client = createNodeClient(options);
  const moment = createLeaseClock();
  const clock = (): number => moment().withStops;
  const problem = createProblemLog(options.log, clock);
  const state = createGuardState({ maxTokens });
  const counts = { hits: 0, asked: 0, unavailable: 0 };
  let isStarted = false;
  let isStopped = false;
  let becomeReady: (isReady: boolean) => void;
  const ready = new Promise<boolean>((resolve) => {
    becomeReady = resolve;
  });

  const feed = createFeedFollower({ client, state, clock, applied: () => lease.renew(), problem });
  const lease = createLeaseKeeper({
    client,
    state,
    clock,
    granted: () => becomeReady(true),
    slow: () => feed.reconnect(),
    problem,
  });
  const questions = createQuestions({ send: isLocal ? askNode : introspect, maxQuestions, maxWaiting, timeoutMs });

  async function askNode(token: string, hint: string | undefined, signal: AbortSignal): Promise<Answer> {
    for (let attempt = 0; ; attempt++) {
      const asked = state.ask(clock());
      const reply = await post(
        '/feed/token',
        { token, ...(hint === undefined ? {} : { token_type_hint: hint }), held: String(asked.held ?? 0n) },
        signal,
      );
      if (isWorthRepeating(reply) && attempt < ASK_AGAIN_MS.length && !signal.aborted) {
        await later(ASK_AGAIN_MS[attempt]!);
        continue;
      }
      const said = reply?.status === 200 ? readTokenAnswer(reply.body) : undefined;
      if (said === undefined) return undecided(reply);
      if ('state' in said) return said;
      state.answered(asked, token, said, clock());
      feed.widen();
      return said.answer;
    }
  }

  async function introspect(token: string, hint: string | undefined, signal: AbortSignal): Promise<Answer> {
    for (let attempt = 0; ; attempt++) {
      const reply = await post(
        '/introspect',
        { token, ...(hint === undefined ? {} : { token_type_hint: hint }) },
        signal,
      );
      if (reply === undefined && attempt === 0 && !signal.aborted) continue;
      const said = reply?.status === 200 ? readTokenAnswer(reply.body) : undefined;
      if (said === undefined) return undecided(reply);
      return 'state' in said ? said : said.answer;
    }
  }

  /** Posts a form; resolves with undefined if no answer comes. */
  async function post(
    path: string,
    form: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<NodeAnswer | undefined> {
    counts.asked++;
    try {
      return await client.postForm(path, form, signal);
    } catch (error) {
      problem('no answer to a question', { code: failureCode(error) });
      return undefined;
    }
  }

  function undecided(reply: NodeAnswer | undefined): Answer {
    if (reply !== undefined)
      problem('a question was not answered', { status: reply.status, code: readErrorCode(reply.body) });
    return unavailable(reply?.retryAfter);
  }

  async function counted(answer: Promise<Answer>): Promise<Answer> {
    const given = await answer;
    if (given.state === 'unavailable') counts.unavailable++;
    return given;
  }

  return {
    start() {
      if (isStopped) throw new TypeError('a guard that was stopped is not started again: create another');
      if (isStarted) return;
      isStarted = true;
      if (!isLocal) return becomeReady(true);
      lease.start();
      feed.start();
    },
    ready,
    check(token, hint) {
      const known = state.find(token, clock());
      if (known !== undefined) {
        counts.hits++;
        return known.answer;
      }
      if (token === '' || token.length > MAX_TOKEN_LENGTH) return INACTIVE;
      return counted(questions.ask(token, hint));
    },
    async stop() {
      if (isStopped) return;
      isStopped = true;
      state.stop();
      becomeReady(false);
      questions.stop();
      feed.stop();
      await lease.stop();
    },
    stats: () => ({
      local: state.mayAnswer(clock()),
      connected: state.isLive(clock()),
      held: state.held?.toString(),
      tokens: state.tokens,
      selectors: state.selectors,
      ...counts,
      ...state.counts,
      questionsUnderWay: questions.underWay,
      questionsWaiting: questions.waiting,
    }),
  };
}

/** Another node behind the address may have applied more, and the other side may have closed a kept connection. */
function isWorthRepeating(reply: NodeAnswer | undefined): boolean {
  return reply === undefined || (reply.status === 503 && readErrorCode(reply.body) === 'behind');
}

const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
