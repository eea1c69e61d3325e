import { describe, expect, it } from '@jest/globals';
import { createPublicKey } from 'node:crypto';
import { makeKey, signJwt } from '../../../test/conformance/signing.js';
import { parseCompactJws, verifySignature } from './jws.js';

const AT_ONCE = 64;

describe('signatures', () => {
  it.each(['ES256', 'EdDSA', 'RS256', 'PS256'] as const)(
    '%s are checked beside the event loop, which goes on meanwhile',
    async (alg) => {
      const key = makeKey(alg, alg);
      const publicKey = createPublicKey({ key: key.jwk, format: 'jwk' });
      const jws = parseCompactJws(signJwt(key, { iss: 'https://login.example' }))!;
      let checked = 0;
      const checks = Array.from({ length: AT_ONCE }, () =>
        verifySignature(alg, publicKey, jws).then((good) => ((checked += 1), good)),
      );
      // A result is handed over by the loop: had one been computed on this thread, it would be here before the loop's next turn.
      await Promise.resolve();
      await new Promise<void>((resolve) => process.nextTick(resolve));
      expect(checked).toBe(0);
      expect(await Promise.all(checks)).toEqual(checks.map(() => true));
    },
  );
});
