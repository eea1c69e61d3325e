import { RescindError } from '../../contracts/index.js';
import type { Authentication } from './authenticator.js';

/** Returns who was identified. Throws `unauthenticated`, `too-many-requests` or `forbidden` for a refusal. */
export function identified(authentication: Authentication): Extract<Authentication, { refusal?: undefined }> {
  const { refusal } = authentication;
  if (refusal === undefined) return authentication;
  const { code, detail } = refusal;
  throw new RescindError(code === 'invalid-request' ? 'unauthenticated' : code, { detail });
}
