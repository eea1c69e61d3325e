import { createHmac, timingSafeEqual } from 'node:crypto';
import { canonicalJson, RescindError } from '../../contracts/index.js';
import type { Parameters } from './parameters.js';

const PROOF_BYTES = 16;

/** The question that a cursor belongs to, with its filters. The page size is not part of it. */
export interface Question {
  readonly name: string;
  readonly filters: Readonly<Record<string, string>>;
}

export function questionOf(name: string, parameters: Parameters): Question {
  return {
    name,
    filters: Object.fromEntries(
      [...parameters].filter(([parameter]) => parameter !== 'cursor' && parameter !== 'limit'),
    ),
  };
}

/**
 * Writes a position in a list as a string that is opaque to callers. The proof ties it to the tenant and the question,
 * so that no other question accepts it.
 */
export function encodeCursor(tenantKey: Uint8Array, question: Question, position: readonly string[]): string {
  return Buffer.concat([proof(tenantKey, question, position), Buffer.from(JSON.stringify(position))]).toString(
    'base64url',
  );
}

/**
 * Reads a cursor. Throws `invalid-cursor` for anything that `encodeCursor` did not make for this question of this
 * tenant.
 */
export function decodeCursor(tenantKey: Uint8Array, question: Question, cursor: string): readonly string[] {
  const bytes = Buffer.from(cursor, 'base64url');
  const position = bytes.toString('base64url') === cursor ? parsePosition(bytes.subarray(PROOF_BYTES)) : undefined;
  if (!position || !timingSafeEqual(bytes.subarray(0, PROOF_BYTES), proof(tenantKey, question, position))) {
    throw new RescindError('invalid-cursor', {
      detail: 'send the cursor with the parameters of the question that it came with',
    });
  }
  return position;
}

function parsePosition(bytes: Buffer): readonly string[] | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return Array.isArray(value) && value.every((part) => typeof part === 'string') ? value : undefined;
  } catch {
    return undefined;
  }
}

const proof = (tenantKey: Uint8Array, question: Question, position: readonly string[]): Buffer =>
  createHmac('sha256', tenantKey)
    .update(`query-cursor\0${canonicalJson({ question, position })}`)
    .digest()
    .subarray(0, PROOF_BYTES);
