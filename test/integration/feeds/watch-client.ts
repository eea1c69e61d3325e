import { request, type IncomingMessage } from 'node:http';

export interface WatchEvent {
  readonly id: string;
  readonly event: string;
  readonly data: Record<string, unknown>;
}

/** One reader of `/v1/stream`, written from its documentation. */
export interface WatchStream {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  /** All events received so far. */
  readonly events: readonly WatchEvent[];
  readonly comments: number;
  /** Text of an answer that is no stream. */
  readonly text: string;
  readonly lastId: string | undefined;
  /** Resolves with the first event from the `from`-th on that is one. */
  next(isOne: (event: WatchEvent) => boolean, from?: number): Promise<WatchEvent>;
  readonly ended: Promise<void>;
  pause(): void;
  resume(): void;
  close(): void;
}

export function openWatch(url: string, key: string, lastEventId?: string): Promise<WatchStream> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${key}`,
      ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
    };
    const sent = request(`${url}/v1/stream`, { headers, agent: false }, (response) =>
      resolve(readWatch(response, () => sent.destroy())),
    );
    sent.on('error', reject);
    sent.end();
  });
}

function readWatch(response: IncomingMessage, close: () => void): WatchStream {
  const events: WatchEvent[] = [];
  let waiting: (() => void)[] = [];
  let comments = 0;
  let text = '';
  let whole = '';

  function take(block: string): void {
    const fields = new Map(
      block
        .split('\n')
        .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trimStart()]),
    );
    if (!fields.has('event')) {
      comments++;
      return;
    }
    events.push({
      id: fields.get('id')!,
      event: fields.get('event')!,
      data: JSON.parse(fields.get('data')!) as Record<string, unknown>,
    });
    const woken = waiting;
    waiting = [];
    for (const wake of woken) wake();
  }

  response.setEncoding('utf8');
  response.on('data', (chunk: string) => {
    if (response.statusCode !== 200) {
      whole += chunk;
      return;
    }
    const blocks = (text + chunk).split('\n\n');
    text = blocks.pop()!;
    for (const block of blocks) take(block);
  });
  const ended = new Promise<void>((resolve) => {
    response.once('close', resolve);
  });
  response.on('error', () => undefined);

  return {
    status: response.statusCode!,
    headers: response.headers,
    events,
    get comments() {
      return comments;
    },
    get text() {
      return whole;
    },
    get lastId() {
      return events.at(-1)?.id;
    },
    async next(isOne, from = 0) {
      for (let at = from; ; at++) {
        while (at >= events.length) await new Promise<void>((resolve) => waiting.push(resolve));
        if (isOne(events[at]!)) return events[at]!;
      }
    },
    ended,
    pause: () => void response.pause(),
    resume: () => void response.resume(),
    close,
  };
}
