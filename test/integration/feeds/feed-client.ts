import { randomBytes } from 'node:crypto';
import { request, type IncomingMessage } from 'node:http';
import { LEASE_FRACTION } from '../../../src/lease/index.js';
import { DIMENSIONS } from '../../../src/rules/index.js';

export interface FeedEvent {
  readonly id: bigint;
  readonly event: string;
  readonly data: Record<string, unknown>;
}

/** One stream, read by hand. */
export interface Stream {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  /** All events received so far. */
  readonly events: readonly FeedEvent[];
  readonly comments: number;
  /** The last id that was received. */
  readonly held: bigint;
  /** Called with each event, in order, as it comes. */
  onEvent: (event: FeedEvent) => void;
  /** Resolves with the first event from the `from`-th on that is one. */
  next(isOne: (event: FeedEvent) => boolean, from?: number): Promise<FeedEvent>;
  /** Resolves when the node has ended it. */
  readonly ended: Promise<void>;
  /** Stops reading, as a process does that hangs. */
  pause(): void;
  close(): void;
}

export interface StreamOptions {
  readonly authorization: string;
  readonly query?: string;
  readonly lastEventId?: string;
}

/** Resolves with the headers. */
export function openStream(url: string, { authorization, query = '', lastEventId }: StreamOptions): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const headers = { authorization, ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }) };
    const sent = request(`${url}/feed${query}`, { headers, agent: false }, (response) =>
      resolve(readStream(response, () => sent.destroy())),
    );
    sent.once('error', reject);
    sent.end();
  });
}

function readStream(response: IncomingMessage, close: () => void): Stream {
  const events: FeedEvent[] = [];
  let waiting: (() => void)[] = [];
  let comments = 0;
  let held = 0n;
  let text = '';

  function take(block: string): void {
    const fields = new Map(
      block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
    );
    if (!fields.has('event')) {
      comments++;
      return;
    }
    const event = {
      id: BigInt(fields.get('id')!),
      event: fields.get('event')!,
      data: JSON.parse(fields.get('data')!) as Record<string, unknown>,
    };
    held = event.id;
    events.push(event);
    stream.onEvent(event);
    const woken = waiting;
    waiting = [];
    for (const wake of woken) wake();
  }

  response.setEncoding('utf8');
  response.on('data', (chunk: string) => {
    const blocks = (text + chunk).split('\n\n');
    text = blocks.pop()!;
    for (const block of blocks) take(block);
  });
  const ended = new Promise<void>((resolve) => {
    response.once('close', resolve);
  });
  response.on('error', () => undefined);

  const stream: Stream = {
    status: response.statusCode!,
    headers: response.headers,
    events,
    get comments() {
      return comments;
    },
    get held() {
      return held;
    },
    onEvent: () => undefined,
    async next(isOne, from = 0) {
      for (let at = from; ; at++) {
        while (at >= events.length) await new Promise<void>((resolve) => waiting.push(resolve));
        if (isOne(events[at]!)) return events[at]!;
      }
    },
    ended,
    pause: () => void response.pause(),
    close,
  };
  return stream;
}

export const freshId = (): string => randomBytes(16).toString('base64url');

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Record<string, unknown>;
}

async function read(response: Response): Promise<Answered> {
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') === true;
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson ? (JSON.parse(text) as Record<string, unknown>) : {},
  };
}

export async function askLease(url: string, authorization: string, body: object): Promise<Answered> {
  return read(
    await fetch(`${url}/feed/lease`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  );
}

export async function askToken(
  url: string,
  authorization: string,
  form: Readonly<Record<string, string>>,
): Promise<Answered> {
  return read(
    await fetch(`${url}/feed/token`, { method: 'POST', headers: { authorization }, body: new URLSearchParams(form) }),
  );
}

export interface Rescind {
  readonly seq: string;
  readonly keep_ms: number;
  readonly shape_sets: readonly (readonly string[])[];
  readonly outside: boolean;
}

/** Searches as a guard must: every member of the selector is among the token's keys of its dimension. */
export function selects(data: Record<string, unknown>, { shape_sets: sets }: Rescind): boolean {
  const shape = data['shape'] as number;
  const key = Buffer.from(data['key'] as string, 'base64url');
  let at = 0;
  return DIMENSIONS.every((_, position) => {
    if ((shape & (1 << position)) === 0) return true;
    const member = key.subarray(at, (at += 16)).toString('base64url');
    return sets[position]!.includes(member);
  });
}

const RENEW_MS = 500;

/**
 * A guard with one token, written from the page: the stream, the lease, and what it says of the token. `hangs` stops the
 * applying, not the renewing.
 */
export class HandGuard {
  readonly id = freshId();
  readonly stream: Stream;
  held: bigint;
  hangs = false;
  /** When it last said *active* on its own, and when each selector was applied (`performance.now`). */
  lastYesAt = -Infinity;
  readonly answers: Answered[] = [];
  #rescind: Rescind | undefined;
  #untilMs = -Infinity;
  #timer: NodeJS.Timeout | undefined;
  readonly #url: string;
  readonly #authorization: string;

  private constructor(url: string, authorization: string, stream: Stream) {
    this.#url = url;
    this.#authorization = authorization;
    this.stream = stream;
    this.held = stream.held;
  }

  static async start(url: string, authorization: string, token: string): Promise<HandGuard> {
    const stream = await openStream(url, { authorization });
    await stream.next(({ event }) => event === 'start');
    const guard = new HandGuard(url, authorization, stream);
    await guard.ask(token);
    stream.onEvent = (event) => guard.#apply(event);
    await guard.renew();
    guard.#timer = setInterval(() => guard.#renewUnasked(), RENEW_MS);
    return guard;
  }

  async ask(token: string): Promise<void> {
    const { body } = await askToken(this.#url, this.#authorization, { token, held: String(this.held) });
    this.#rescind = body['rescind'] as Rescind | undefined;
  }

  async renew(): Promise<Answered> {
    const t0 = performance.now();
    const answered = await askLease(this.#url, this.#authorization, { id: this.id, held: String(this.held) });
    this.answers.push(answered);
    if (answered.status === 200)
      this.#untilMs = Math.max(this.#untilMs, t0 + LEASE_FRACTION * (answered.body['grant_ms'] as number));
    return answered;
  }

  /** On its own; undefined: it would have to ask. */
  answer(): true | undefined {
    if (performance.now() >= this.#untilMs || !this.#rescind) return undefined;
    this.lastYesAt = performance.now();
    return true;
  }

  /** Behaves like a process that dies, and yet goes on to answer under its grant. */
  goSilent(): void {
    clearInterval(this.#timer);
    this.stream.onEvent = () => undefined;
    this.stream.close();
  }

  /** Stops using its grant, and says so. */
  async release(): Promise<void> {
    this.goSilent();
    this.#untilMs = -Infinity;
    await askLease(this.#url, this.#authorization, { id: this.id, held: String(this.held), release: true });
  }

  stop(): void {
    clearInterval(this.#timer);
    this.stream.close();
  }

  #apply(event: FeedEvent): void {
    if (this.hangs) return;
    if (event.event === 'rule' && this.#rescind && selects(event.data, this.#rescind)) this.#rescind = undefined;
    if (event.event === 'forget' || event.event === 'reset') this.#rescind = undefined;
    this.held = event.id;
    this.#renewUnasked();
  }

  /** A node that is gone grants nothing; that is all that it says. */
  #renewUnasked(): void {
    this.renew().catch(() => undefined);
  }
}
