import {
  CLOUDEVENTS_BATCH_MEDIA_TYPE,
  CLOUDEVENTS_MEDIA_TYPE,
  JSON_MEDIA_TYPE,
  MAX_EVENTS_PER_POST,
  NDJSON_MEDIA_TYPE,
  RescindError,
  type IntakeResult,
} from '../contracts/index.js';
import type { Caller, ControlFollower } from '../control/index.js';
import { accept, isMediaType, type Arrived } from './accept.js';
import type { Appender } from './appender.pg.js';
import { sliceElements, sliceLines } from './slices.js';
import type { Outcome } from './submission.js';

export interface Intake {
  /**
   * Takes the body of `POST /events` and answers when every event of it is durable or refused, in the order they came.
   * Throws `unsupported-media-type`, `malformed-json`, `too-large`, `forbidden` or `overloaded` for the whole request.
   */
  take(request: { readonly contentType: string | undefined; readonly body: Buffer; readonly caller: Caller }): Promise<IntakeAnswer>;
}

export type IntakeAnswer = { readonly single: IntakeResult } | { readonly batch: readonly IntakeResult[] };

export interface IntakeOptions {
  readonly follower: ControlFollower;
  readonly appender: Appender;
  readonly now?: () => number;
}

export function createIntake({ follower, appender, now = Date.now }: IntakeOptions): Intake {
  return {
    async take({ contentType, body, caller }) {
      if (!caller.roles.emit) throw new RescindError('forbidden', { detail: 'the role `emit`' });
      const { single, mode, slices } = cut(contentType ?? '', body);
      if (slices.length > MAX_EVENTS_PER_POST) throw new RescindError('too-large', { detail: `at most ${MAX_EVENTS_PER_POST} events a request` });
      const headers: Arrived['headers'] = [['content-type', Buffer.from(contentType ?? '')]];
      const nowMs = now();
      const events = slices.map((bytes) => accept({ mode, headers, bytes, door: { kind: 'http', caller } }, follower.state, nowMs));
      const outcomes = events.length > 0 ? await appender.submit({ events }) : [];
      const results = outcomes.map(resultOf);
      return single ? { single: results[0]! } : { batch: results };
    },
  };
}

interface Cut {
  readonly single: boolean;
  readonly mode: Arrived['mode'];
  readonly slices: readonly Buffer[];
}

function cut(contentType: string, body: Buffer): Cut {
  const is = (mediaType: string): boolean => isMediaType(contentType, mediaType);
  if (is(NDJSON_MEDIA_TYPE)) return { single: false, mode: 'ndjson', slices: sliceLines(body) };
  if (!is(CLOUDEVENTS_MEDIA_TYPE) && !is(CLOUDEVENTS_BATCH_MEDIA_TYPE) && !is(JSON_MEDIA_TYPE)) {
    const accepted = [CLOUDEVENTS_MEDIA_TYPE, CLOUDEVENTS_BATCH_MEDIA_TYPE, NDJSON_MEDIA_TYPE, JSON_MEDIA_TYPE];
    throw new RescindError('unsupported-media-type', { detail: `send one of ${accepted.join(', ')}` });
  }
  if (is(CLOUDEVENTS_MEDIA_TYPE)) return { single: true, mode: 'structured', slices: [body] };
  const isArray = parses(body);
  if (isArray) return { single: false, mode: 'batch', slices: sliceElements(body) };
  if (is(CLOUDEVENTS_BATCH_MEDIA_TYPE)) throw new RescindError('malformed-json', { detail: 'a batch is a JSON array' });
  return { single: true, mode: 'structured', slices: [body] };
}

/** Whether the body is an array. Elements are read strictly one by one; here only where they begin and end must be sure. */
function parses(body: Buffer): boolean {
  try {
    return Array.isArray(JSON.parse(utf8.decode(body)));
  } catch (error) {
    throw new RescindError(error instanceof SyntaxError ? 'malformed-json' : 'invalid-utf8');
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function resultOf(outcome: Outcome): IntakeResult {
  switch (outcome.state) {
    case 'sequenced':
      return { index: String(outcome.index), state: 'sequenced' };
    case 'duplicate':
      return { duplicate: true, index: String(outcome.index) };
    case 'rejected':
      return { error: outcome.code, detail: outcome.detail };
    default:
      return outcome satisfies never;
  }
}
