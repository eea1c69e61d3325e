import { audienceOfTenant, MANIFEST_ATTRIBUTE, RescindError, type RejectCode } from '../../contracts/index.js';
import type { Source } from '../../control/index.js';
import type { Arrived } from './accept.js';

/** Milliseconds that an event's time and `iat` may lie ahead of arrival. Two clocks differ, but not by more than this. */
export const MAX_AHEAD_MS = 5 * 60_000;

/** Outcome of checking the signature over an event: who signed it for whom and when, or why it does not count. */
export type CheckedSignature =
  | {
      readonly isGood: true;
      /** Id of the source whose key made the signature. */
      readonly source: string;
      /** The claim `aud` of the SET or of the manifest. */
      readonly aud: unknown;
      /** The claim `iat`. */
      readonly iat: unknown;
      /** The manifest that names the event, a JWS; undefined for a SET. */
      readonly manifest: string | undefined;
    }
  | { readonly isGood: false; readonly code: RejectCode; readonly detail: string };

/**
 * Checks that an event is signed by its source for its tenant, or is one that may come unsigned. Returns whether it is signed. Throws
 * `signature-required`, `signature-invalid`, `wrong-audience`, `time-in-future` or the code of the signature's check.
 */
export function checkSignature({ mode, headers, signature }: Arrived, source: Source, nowMs: number): boolean {
  if (signature === undefined) {
    const isSigned = mode === 'set' || headers.some(([name]) => name === MANIFEST_ATTRIBUTE);
    if (isSigned) throw new RescindError('signature-invalid', { detail: 'the signature was not checked' });
    if (source.signature === 'required') throw new RescindError('signature-required');
    return false;
  }
  if (!signature.isGood) throw new RescindError(signature.code, { detail: signature.detail });
  if (signature.source !== source.id)
    throw new RescindError('signature-invalid', { detail: 'another source signed the event' });
  const audience = audienceOfTenant(source.tenant);
  const [aud, ...others] = [signature.aud].flat();
  if (aud !== audience || others.length > 0)
    throw new RescindError('wrong-audience', { detail: `\`aud\` must be ${audience}` });
  const { iat } = signature;
  if (typeof iat !== 'number') throw new RescindError('signature-invalid', { detail: '`iat` must be a number' });
  if (iat * 1_000 > nowMs + MAX_AHEAD_MS) throw new RescindError('time-in-future', { detail: '`iat`' });
  return true;
}
