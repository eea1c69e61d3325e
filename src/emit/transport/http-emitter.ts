import { MAX_EVENTS_PER_POST, MAX_POST_BYTES, type CloudEvent, type IntakeResult } from '../../contracts/index.js';
import { createPost, type PostOptions } from './http-post.js';

/** Options of `createHttpEmitter`. */
export type HttpEmitterOptions = PostOptions;

/** Posts events to `POST /events`, up to 1,000 events and 4 MiB a request. */
export interface HttpEmitter {
  /**
   * Sends the events and resolves with one result an event, in order; an accepted event is durable then. Rejects with a `RescindError` if a
   * request as a whole was refused or got no answer. After a rejection some events may have been taken; sending all of them again is safe,
   * because Rescind recognizes duplicates by (source, id). Does not retry by itself.
   */
  emit(events: readonly CloudEvent[]): Promise<IntakeResult[]>;
}

/**
 * Creates an emitter for a script that sends its events and ends. A long-running process uses `createProducer`. Throws `TypeError` for a
 * wrong `url`.
 */
export function createHttpEmitter(options: HttpEmitterOptions): HttpEmitter {
  const post = createPost(options);
  return {
    async emit(events) {
      const results: IntakeResult[] = [];
      for (const batch of batches(events, options.signer === undefined ? COMMA : SIGNED_OVERHEAD))
        results.push(...(await post(batch)));
      return results;
    },
  };
}

/** Bytes around the events of a JSON array, and between two events. */
export const BRACKETS = 2;
export const COMMA = 1;
/** Bytes that a signed batch adds to an event: its salt, and its digest in the manifest. The manifest's own bytes are as many as ten events’. */
export const SIGNED_OVERHEAD = 128;

function* batches(events: readonly CloudEvent[], overhead: number): Generator<readonly string[]> {
  let texts: string[] = [];
  let bytes = BRACKETS;
  for (const event of events) {
    const text = JSON.stringify(event);
    const size = Buffer.byteLength(text) + overhead;
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
