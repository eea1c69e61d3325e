import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CloudEvent } from '../../../src/contracts/index.js';

/** The receiver's reaction to one request. */
export type Behaviour =
  | 'take'
  /** Takes the events, and the answer is lost. */
  | 'take-and-reset'
  | 'take-and-reset-mid-answer'
  | 'take-and-answer-garbage'
  | 'take-half-and-answer-short'
  | 'reset'
  | 'hang'
  | 'garbage'
  | 'unavailable'
  | 'too-many-requests'
  | 'too-large'
  /** Another program answers, or the caller is at fault. */
  | 'not-rescind'
  | 'not-found'
  | 'redirect'
  | 'forbidden';

export interface ReceiverOptions {
  /** Says how to react to a request, whose number counts from 0. Default: take. */
  readonly behave?: (request: number) => Behaviour;
  /** Returns the code that refuses the event, or false. */
  readonly refuses?: (event: CloudEvent) => string | false;
  /** If true for an event, the whole request is answered with 413. */
  readonly refusesWhole?: (event: CloudEvent) => boolean;
  /** The only key that is good; 401 for others. */
  readonly bearer?: string;
  readonly retryAfter?: string;
  /** The port of an earlier receiver. */
  readonly port?: number;
}

/** Speaks as `POST /events` does, knows duplicates by (source, id), and fails as told. */
export interface Receiver {
  readonly url: string;
  readonly port: number;
  /** Each event once, in the order of first arrival. */
  readonly received: readonly CloudEvent[];
  readonly requests: readonly {
    readonly at: number;
    readonly count: number;
    readonly authorization: string | undefined;
  }[];
  readonly duplicates: number;
  /** Resolves when the condition holds, checked after each request. */
  until(condition: () => boolean): Promise<void>;
  stop(): Promise<void>;
}

export async function startReceiver({
  behave = () => 'take',
  refuses = () => false as const,
  refusesWhole = () => false,
  bearer,
  retryAfter,
  port,
}: ReceiverOptions = {}): Promise<Receiver> {
  const received = new Map<string, { readonly event: CloudEvent; readonly index: string }>();
  const requests: { at: number; count: number; authorization: string | undefined }[] = [];
  const waiting = new Set<() => void>();
  let duplicates = 0;

  const take = (events: readonly CloudEvent[]) =>
    events.map((event) => {
      const error = refuses(event);
      if (error !== false) return { error, detail: 'not yours' };
      const key = `${event.source} ${event.id}`;
      const known = received.get(key);
      if (known !== undefined) {
        duplicates++;
        return { duplicate: true, index: known.index };
      }
      const index = String(received.size);
      received.set(key, { event, index });
      return { index, state: 'sequenced' };
    });

  function respond(request: IncomingMessage, response: ServerResponse, events: readonly CloudEvent[]): void {
    const answer = (status: number, body: unknown): void => {
      response.writeHead(status, {
        'content-type': 'application/json',
        ...(retryAfter === undefined ? {} : { 'retry-after': retryAfter }),
      });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    };
    if (bearer !== undefined && request.headers.authorization !== `Bearer ${bearer}`)
      return answer(401, { error: 'invalid_client' });
    const behaviour = events.some(refusesWhole) ? 'too-large' : behave(requests.length - 1);
    switch (behaviour) {
      case 'take':
        return answer(200, take(events));
      case 'take-and-reset':
        take(events);
        return void request.socket.destroy();
      case 'take-and-reset-mid-answer': {
        const body = JSON.stringify(take(events));
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
        return void response.write(body.slice(0, body.length / 2), () => request.socket.destroy());
      }
      case 'take-and-answer-garbage':
        take(events);
        return answer(200, '<html>welcome</html>');
      case 'take-half-and-answer-short':
        return answer(200, take(events.slice(0, events.length / 2)));
      case 'reset':
        return void request.socket.destroy();
      case 'hang':
        return undefined;
      case 'garbage':
        return answer(200, '[{"index":7}');
      case 'unavailable':
        return answer(503, { code: 'database-unavailable' });
      case 'too-many-requests':
        return answer(429, { code: 'too-many-requests' });
      case 'too-large':
        return answer(413, '<html>413</html>');
      case 'not-rescind':
        return answer(400, '<html>400</html>');
      case 'not-found':
        return answer(404, { code: 'not-found' });
      case 'redirect':
        response.setHeader('location', 'https://elsewhere.example/');
        return answer(307, '');
      case 'forbidden':
        return answer(403, { code: 'forbidden' });
      default:
        return behaviour satisfies never;
    }
  }

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const events = JSON.parse(Buffer.concat(chunks).toString('utf8')) as CloudEvent[];
      requests.push({ at: performance.now(), count: events.length, authorization: request.headers.authorization });
      respond(request, response, events);
      for (const check of waiting) check();
    });
  });
  await new Promise<void>((resolve) => server.listen(port ?? 0, '127.0.0.1', resolve));
  const listening = (server.address() as AddressInfo).port;

  return {
    url: `http://127.0.0.1:${listening}`,
    port: listening,
    get received() {
      return [...received.values()].map(({ event }) => event);
    },
    requests,
    get duplicates() {
      return duplicates;
    },
    until: (condition) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (!condition()) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      }),
    async stop() {
      const stopped = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await stopped;
    },
  };
}
