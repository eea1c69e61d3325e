import { Type } from 'typebox';
import { MAX_IDENTIFIER_LENGTH } from '../../contracts/index.js';
import { EgressError, type Received } from '../../platform/egress/index.js';
import type { ChannelKind, Message, Outcome, Target } from '../channel.js';

/** An attempt takes at most `totalMs`. Of an answer only the beginning is read; the connection is then closed. */
const LIMITS = { connectMs: 5_000, answerMs: 10_000, totalMs: 15_000, maxBytes: 4_096, beyond: 'cut' } as const;
/** The longest pause that a receiver may ask for by `Retry-After`. */
const MAX_PAUSE_MS = 3_600_000;

/** The address of a receiver. Schemes other than https need an address that the operator allows. */
export const ADDRESS = Type.String({
  minLength: 1,
  maxLength: MAX_IDENTIFIER_LENGTH,
  pattern: '^https?://',
  description: 'URL of the receiver. Answers show its host alone, because the rest may be a secret.',
});

/** The request that a message becomes. */
export interface Formatted {
  readonly address: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export interface HttpKind extends Omit<ChannelKind, 'send' | 'check' | 'shown'> {
  format(message: Message, target: Target, nowMs: number): Formatted;
  /** Says that a status means that the receiver will never take the message. */
  refuses(status: number): boolean;
  check?(settings: Readonly<Record<string, string>>): string | undefined;
  readonly defaultAddress?: string;
}

/** Makes a kind whose messages are one POST of JSON each. */
export function httpKind({ format, refuses, check, defaultAddress, ...kind }: HttpKind): ChannelKind {
  return {
    ...kind,
    check: (settings) => problemOfAddress(settings['address'] ?? defaultAddress ?? '') ?? check?.(settings),
    shown: (settings) => `${new URL(settings['address'] ?? defaultAddress!).origin}/…`,
    async send(message, target, { egress, nowMs, signal }) {
      const { address, headers, body } = format(message, target, nowMs);
      try {
        const received = await egress.send({
          url: new URL(address),
          method: 'POST',
          headers: { 'content-type': 'application/json', 'user-agent': 'Rescind', ...headers },
          body: typeof body === 'string' ? body : JSON.stringify(body),
          limits: LIMITS,
          signal,
        });
        return outcomeOf(received, refuses);
      } catch (error) {
        const problem = error instanceof EgressError ? error.message : 'the request could not be made';
        return { result: 'retry', status: null, problem, answer: '' };
      }
    },
  };
}

function problemOfAddress(address: string): string | undefined {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    return '`address` is a URL of https, or of http where allowed';
  if (url.username !== '' || url.password !== '' || url.hash !== '')
    return '`address` holds neither a user nor a fragment';
  return undefined;
}

function outcomeOf({ status, headers, body }: Received, refuses: HttpKind['refuses']): Outcome {
  const answer = body.toString('utf8');
  if (status >= 200 && status < 300) return { result: 'delivered', status, problem: null, answer };
  const pauseMs = pauseOf(headers['retry-after']);
  return {
    result: refuses(status) ? 'refused' : 'retry',
    status,
    problem: status >= 300 && status < 400 ? 'the receiver redirects, which is not followed' : `status ${status}`,
    answer,
    ...(pauseMs === undefined ? {} : { pauseMs }),
  };
}

/** Reads `Retry-After` in seconds (RFC 9110, section 10.2.3). A date would ask whose clock is right. */
const pauseOf = (value: string | undefined): number | undefined =>
  value !== undefined && /^\d{1,9}$/.test(value) ? Math.min(Number(value) * 1_000, MAX_PAUSE_MS) : undefined;
