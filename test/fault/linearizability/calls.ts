import { setTimeout as delay } from 'node:timers/promises';
import type { Node } from './node.js';
import type { Random } from './random.js';

/** A node that is stopped does not answer; another one can be asked meanwhile. */
const ATTEMPT_TIMEOUT_MS = 10_000;
const RETRY_AFTER_MS = 150;
/** No room, or a node that stood still and took the request for a slow one. */
const AGAIN: ReadonlySet<number> = new Set([408, 429]);

/** Served where events are ingested. */
export const EVENTS_PATH = '/events';

export interface Call {
  readonly path: string;
  readonly authorization: string;
  readonly contentType: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Code of a refusal that time alone can bring about: then it stays unanswered. */
  readonly lapsesWith?: string;
}

export interface Answered {
  readonly status: number;
  readonly text: string;
}

/** Calls from outside. */
export interface Caller {
  /**
   * Sends the same call to one node after the other until one answers for good; undefined when the run ends first. What is
   * no success and would not become one by repeating it throws.
   */
  untilAnswered(call: Call): Promise<Answered | undefined>;
  /** One attempt to read something at this node; undefined when it does not answer. */
  ask(node: Node, question: Pick<Call, 'path' | 'authorization'>): Promise<Answered | undefined>;
}

export function createCaller({
  nodes,
  random,
  ended,
}: {
  nodes: readonly Node[];
  random: Random;
  ended: AbortSignal;
}): Caller {
  async function fetchFrom({ port }: Node, path: string, init: RequestInit): Promise<Answered | undefined> {
    try {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, {
        ...init,
        signal: AbortSignal.timeout(ATTEMPT_TIMEOUT_MS),
      });
      return { status: response.status, text: await response.text() };
    } catch {
      return undefined;
    }
  }

  /** One attempt at this node; undefined when it cannot be told what became of it. */
  const once = (node: Node, { path, authorization, contentType, body, headers }: Call): Promise<Answered | undefined> =>
    fetchFrom(node, path, {
      method: 'POST',
      headers: { authorization, 'content-type': contentType, accept: 'application/json', ...headers },
      body,
    });

  return {
    ask: (node, { path, authorization }) => fetchFrom(node, path, { headers: { authorization } }),
    async untilAnswered(call) {
      while (!ended.aborted) {
        const up = nodes.filter(({ isUp, ingests }) => isUp && (ingests || call.path !== EVENTS_PATH));
        const answer = up.length === 0 ? undefined : await once(random.pick(up), call);
        if (answer && answer.status < 300) return answer;
        if (answer && call.lapsesWith !== undefined && answer.text.includes(`"${call.lapsesWith}"`)) return undefined;
        if (answer && answer.status < 500 && !AGAIN.has(answer.status))
          throw new Error(`${call.path}: ${answer.status} ${answer.text.slice(0, 500)} to ${call.body.slice(0, 500)}`);
        await delay(RETRY_AFTER_MS);
      }
      return undefined;
    },
  };
}
