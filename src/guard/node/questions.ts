import { unavailable, type Answer } from '../answer.js';

export interface QuestionsOptions {
  /** Sends one question. MUST settle soon after `signal` is aborted; a rejection counts as `unavailable`. */
  readonly send: (text: string, hint: string | undefined, signal: AbortSignal) => Promise<Answer>;
  readonly maxQuestions: number;
  readonly maxWaiting: number;
  readonly timeoutMs: number;
}

/** Limits the questions to the node: how many at once, how many waiting, and none longer than `timeoutMs` milliseconds. */
export interface Questions {
  ask(text: string, hint?: string): Promise<Answer>;
  /** Answers every open question with `unavailable`. */
  stop(): void;
  readonly underWay: number;
  readonly waiting: number;
}

interface Question {
  readonly text: string;
  readonly hint: string | undefined;
  readonly answer: Promise<Answer>;
  readonly giveUp: AbortController;
  readonly timer: ReturnType<typeof setTimeout>;
  settle(answer: Answer): void;
}

/**
 * Creates the queue of questions. Calls share a question only until it is sent, so that its answer is decided after each of them began. A
 * call that joined a question already sent could begin after a revocation was answered, and get an answer decided before it.
 */
export function createQuestions({ send, maxQuestions, maxWaiting, timeoutMs }: QuestionsOptions): Questions {
  const waiting = new Map<string, Question>();
  const underWay = new Set<Question>();
  let isScheduled = false;
  let isStopped = false;

  function schedule(): void {
    if (isScheduled) return;
    isScheduled = true;
    // Calls of one turn of the event loop share their question.
    setImmediate(() => {
      isScheduled = false;
      sendNext();
    });
  }

  function sendNext(): void {
    for (const [key, question] of waiting) {
      if (underWay.size >= maxQuestions) return;
      waiting.delete(key);
      underWay.add(question);
      void sendOne(question);
    }
  }

  async function sendOne(question: Question): Promise<void> {
    try {
      question.settle(await send(question.text, question.hint, question.giveUp.signal));
    } catch {
      question.settle(unavailable());
    } finally {
      underWay.delete(question);
      if (waiting.size > 0) schedule();
    }
  }

  function create(key: string, text: string, hint: string | undefined): Question {
    const giveUp = new AbortController();
    let resolve: (answer: Answer) => void;
    const answer = new Promise<Answer>((settled) => {
      resolve = settled;
    });
    const timer = setTimeout(() => {
      if (waiting.get(key) === question) waiting.delete(key);
      giveUp.abort();
      question.settle(unavailable());
    }, timeoutMs);
    const question: Question = {
      text,
      hint,
      answer,
      giveUp,
      timer,
      settle(settled) {
        clearTimeout(timer);
        resolve(settled);
      },
    };
    return question;
  }

  return {
    ask(text, hint) {
      const key = hint === undefined ? text : `${hint} ${text}`;
      const joined = waiting.get(key);
      if (joined !== undefined) return joined.answer;
      if (isStopped || waiting.size >= maxWaiting) return Promise.resolve(unavailable());
      const question = create(key, text, hint);
      waiting.set(key, question);
      schedule();
      return question.answer;
    },
    stop() {
      isStopped = true;
      for (const question of [...waiting.values(), ...underWay]) {
        question.giveUp.abort();
        question.settle(unavailable());
      }
      waiting.clear();
    },
    get underWay() {
      return underWay.size;
    },
    get waiting() {
      return waiting.size;
    },
  };
}
