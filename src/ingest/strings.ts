import { RescindError, holdsSecret } from '../contracts/index.js';

const MAX_IDENTIFIER_BYTES = 512;

/** Members whose text is no identifier; the schema bounds their length. */
const LONG_TEXT: ReadonlySet<string> = new Set(['path', 'reason', 'scope', 'error', 'route']);

/**
 * Walks every string of a parsed value. A token inside an unsigned event is refused, since what is in the ledger stays
 * there: throws `secret-in-event`, `identifier-too-long`, `nul` or `lone-surrogate`.
 */
export function checkStrings(value: unknown, member = ''): void {
  if (typeof value === 'string') {
    checkString(value, member);
  } else if (Array.isArray(value)) {
    for (const element of value) checkStrings(element, member);
  } else if (typeof value === 'object' && value !== null) {
    for (const name of Object.keys(value)) {
      checkString(name, member);
      checkStrings((value as Record<string, unknown>)[name], name);
    }
  }
}

function checkString(text: string, member: string): void {
  if (text.includes('\0')) throw new RescindError('nul', { detail: `\`${member}\`` });
  if (!text.isWellFormed()) throw new RescindError('lone-surrogate', { detail: `\`${member}\`` });
  if (holdsSecret(text)) throw new RescindError('secret-in-event', { detail: `\`${member}\`` });
  // A string of 170 characters cannot exceed the bound: UTF-8 spends at most three bytes on a UTF-16 unit.
  if (text.length > MAX_IDENTIFIER_BYTES / 3 && !LONG_TEXT.has(member) && Buffer.byteLength(text) > MAX_IDENTIFIER_BYTES) {
    throw new RescindError('identifier-too-long', { detail: `\`${member}\`` });
  }
}
