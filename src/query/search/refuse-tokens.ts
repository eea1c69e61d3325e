import { RescindError } from '../../contracts/index.js';
import { maskSecrets } from '../../platform/log/index.js';

/** Matches a JWT cut off before its signature: two base64url segments of which the first opens a JSON object. */
const CUT_OFF = /eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{2,}/;

const ADVICE =
  'decode the token where you are (the part between its dots is base64url of JSON) and ask by `iss` and `jti`; ask for an opaque token by the SHA-256 of its text. Rescind neither stored nor logged it; proxies on the way may have kept the address';

/**
 * Throws `token-in-request` if a name or value contains what looks like a token or another secret; the error repeats
 * nothing of it. A token must never be sent to ask about it.
 */
export function refuseTokens(query: unknown): void {
  for (const [name, value] of Object.entries((query ?? {}) as Record<string, unknown>)) {
    for (const text of [name, ...(Array.isArray(value) ? value : [value])].map(String)) {
      if (CUT_OFF.test(text) || maskSecrets(text) !== text)
        throw new RescindError('token-in-request', { detail: ADVICE });
    }
  }
}
