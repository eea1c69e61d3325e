import { MAX_EVENTS_PER_POST, MAX_POST_BYTES, type IntakeResult } from '../../contracts/index.js';
import { BRACKETS, COMMA, SIGNED_OVERHEAD } from './http-emitter.js';
import { createPost, type HttpOptions } from './http-post.js';
import type { Transport, Verdict } from './transport.js';

/**
 * Creates a transport to `POST /events`. A taken event is durable in Rescind's ledger; a refused event is reported with its code. Throws
 * `TypeError` for a wrong `url`.
 */
export function httpTransport(options: HttpOptions): Transport {
  const post = createPost(options);
  return {
    name: 'POST /events',
    maxEvents: MAX_EVENTS_PER_POST,
    maxBytes:
      MAX_POST_BYTES - BRACKETS - MAX_EVENTS_PER_POST * (options.signer === undefined ? COMMA : SIGNED_OVERHEAD),
    send: async (events, signal) => (await post(events, signal)).map(verdictOf),
  };
}

function verdictOf(result: IntakeResult): Verdict {
  if ('error' in result)
    return { taken: false, code: result.error, ...(result.detail === undefined ? {} : { detail: result.detail }) };
  return { taken: true, index: result.index, ...('duplicate' in result ? { duplicate: true } : {}) };
}
