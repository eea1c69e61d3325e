import { MAX_EVENTS_PER_POST, MAX_POST_BYTES, type CloudEvent, type IntakeResult } from '../../contracts/index.js';
import { createPost, type HttpOptions } from './http-post.js';

export type HttpEmitterOptions = HttpOptions;

export interface HttpEmitter {
  /**
   * One result per event, in order; an accepted event is durable then. Rejects with a `RescindError` when a request as a
   * whole was refused or got no answer. After a rejection some events may have been taken; sending all of them again is
   * safe, since Rescind knows duplicates by (source, id). Does not retry by itself.
   */
  emit(events: readonly CloudEvent[]): Promise<IntakeResult[]>;
}

/** For a script that sends what it has and ends. What runs for longer wants `createProducer`. */
export function createHttpEmitter(options: HttpEmitterOptions): HttpEmitter {
  const post = createPost(options);
  return {
    async emit(events) {
      const results: IntakeResult[] = [];
      for (const batch of batches(events)) results.push(...(await post(batch)));
      return results;
    },
  };
}

/** Bytes around the events of a JSON array, and between two. */
export const BRACKETS = 2;
export const COMMA = 1;

function* batches(events: readonly CloudEvent[]): Generator<readonly string[]> {
  let texts: string[] = [];
  let bytes = BRACKETS;
  for (const event of events) {
    const text = JSON.stringify(event);
    const size = Buffer.byteLength(text) + COMMA;
    if (texts.length > 0 && (texts.length === MAX_EVENTS_PER_POST || bytes + size > MAX_POST_BYTES)) {
      yield texts;
      texts = [];
      bytes = BRACKETS;
    }
    texts.push(text);
    bytes += size;
  }
  if (texts.length > 0) yield texts;
}
