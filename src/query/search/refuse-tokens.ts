import { RescindError } from '../../contracts/index.js';
import { maskSecrets } from '../../platform/log/index.js';

/** A JWT cut off before its signature: two segments of base64url of which the first opens a JSON object. */
const CUT_OFF = /eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{2,}/;

const ADVICE =
  'decode the token where you are (the part between its dots is base64url of JSON) and ask by `iss` and `jti`; of an opaque token by the SHA-256 of its text. It was neither stored nor logged here; what lies between may have kept the address';

/**
 * A token must never be sent to ask about it. Throws `token-in-request` for whatever holds what looks like one, or like another secret, in a
 * name or a value; the error repeats nothing of it.
 */
export function refuseTokens(query: unknown): void {
  for (const [name, value] of Object.entries((query ?? {}) as Record<string, unknown>)) {
    for (const text of [name, ...(Array.isArray(value) ? value : [value])].map(String)) {
      if (CUT_OFF.test(text) || maskSecrets(text) !== text) throw new RescindError('token-in-request', { detail: ADVICE });
    }
  }
}
