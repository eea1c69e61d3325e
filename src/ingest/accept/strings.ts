import { RescindError, holdsSecret } from '../../contracts/index.js';

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

/**
 * Walks all of `data`, with the members that nobody reads: they stay in the ledger, too. Their texts are no identifiers and have the
 * event's own bound. Throws `secret-in-event`, `nul`, `lone-surrogate`, or `invalid-data` for a number that has no canonical form.
 */
export function checkUnread(value: unknown, member = ''): void {
  if (typeof value === 'string') checkSafe(value, member);
  else if (typeof value === 'number' && !Number.isFinite(value)) throw new RescindError('invalid-data', { detail: `\`${member.slice(0, MAX_SHOWN)}\` is too large a number` });
  else if (Array.isArray(value)) for (const element of value) checkUnread(element, member);
  else if (typeof value === 'object' && value !== null) {
    for (const [name, inner] of Object.entries(value)) {
      checkSafe(name, member);
      checkUnread(inner, name);
    }
  }
}

/** Characters of a member's name that a refusal repeats. */
const MAX_SHOWN = 64;

function checkSafe(text: string, member: string): void {
  const detail = `\`${member.slice(0, MAX_SHOWN)}\``;
  if (text.includes('\0')) throw new RescindError('nul', { detail });
  if (!text.isWellFormed()) throw new RescindError('lone-surrogate', { detail });
  if (holdsSecret(text)) throw new RescindError('secret-in-event', { detail });
}

function checkString(text: string, member: string): void {
  checkSafe(text, member);
  // A string of 170 characters cannot exceed the bound: UTF-8 spends at most three bytes on a UTF-16 unit.
  if (text.length > MAX_IDENTIFIER_BYTES / 3 && !LONG_TEXT.has(member) && Buffer.byteLength(text) > MAX_IDENTIFIER_BYTES) {
    throw new RescindError('identifier-too-long', { detail: `\`${member}\`` });
  }
}
