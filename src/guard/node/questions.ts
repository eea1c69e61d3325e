import { unavailable, type Answer } from '../answer.js';

export interface QuestionsOptions {
  /** Sends one question. MUST settle soon after `signal` is aborted; a rejection is `unavailable`. */
  readonly send: (text: string, hint: string | undefined, signal: AbortSignal) => Promise<Answer>;
  readonly maxQuestions: number;
  readonly maxWaiting: number;
  readonly timeoutMs: number;
}

/** Questions to the node: so many at once, so many waiting, and none for longer than `timeoutMs`. */
export interface Questions {
  ask(text: string, hint?: string): Promise<Answer>;
  /** What is under way or waiting is `unavailable`. */
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
 * Calls share a question only until it is sent: then its answer is decided after each of them began. A call that joined a
 * question under way could begin after a revocation was answered, and hear what was decided before it.
 */
export function createQuestions({ send, maxQuestions, maxWaiting, timeoutMs }: QuestionsOptions): Questions {
  const waiting = new Map<string, Question>();
  const underWay = new Set<Question>();
  let isScheduled = false;
  let isStopped = false;

  function schedule(): void {
    if (isScheduled) return;
    isScheduled = true;
    // Calls that come in one turn of the event loop share what they ask.
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
