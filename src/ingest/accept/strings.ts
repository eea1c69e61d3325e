import { RescindError, holdsSecret } from '../../contracts/index.js';

const MAX_IDENTIFIER_BYTES = 512;

/** Members whose text is not an identifier. The schema bounds their length. */
const LONG_TEXT: ReadonlySet<string> = new Set(['path', 'reason', 'scope', 'error', 'route']);

/**
 * Checks every string of a parsed value. A token inside an unsigned event is refused, because the ledger keeps what it stores. Throws
 * `secret-in-event`, `identifier-too-long`, `nul` or `lone-surrogate`.
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
 * Checks all of `data`, including the members that nobody reads, because the ledger keeps those too. Their texts are not identifiers and
 * are bounded only by the event. Throws `secret-in-event`, `nul`, `lone-surrogate`, or `invalid-data` for a number without a canonical form.
 */
export function checkUnread(value: unknown, member = ''): void {
  if (typeof value === 'string') checkSafe(value, member);
  else if (typeof value === 'number' && !Number.isFinite(value))
    throw new RescindError('invalid-data', { detail: `\`${member.slice(0, MAX_SHOWN)}\` is too large a number` });
  else if (Array.isArray(value)) for (const element of value) checkUnread(element, member);
  else if (typeof value === 'object' && value !== null) {
    for (const [name, inner] of Object.entries(value)) {
      checkSafe(name, member);
      checkUnread(inner, name);
    }
  }
}

/** Characters of a member's name that a refusal shows. */
const MAX_SHOWN = 64;

function checkSafe(text: string, member: string): void {
  const detail = `\`${member.slice(0, MAX_SHOWN)}\``;
  if (text.includes('\0')) throw new RescindError('nul', { detail });
  if (!text.isWellFormed()) throw new RescindError('lone-surrogate', { detail });
  if (holdsSecret(text)) throw new RescindError('secret-in-event', { detail });
}

function checkString(text: string, member: string): void {
  checkSafe(text, member);
  // A string of 170 characters cannot exceed the bound: UTF-8 takes at most three bytes for a UTF-16 unit.
  if (
    text.length > MAX_IDENTIFIER_BYTES / 3 &&
    !LONG_TEXT.has(member) &&
    Buffer.byteLength(text) > MAX_IDENTIFIER_BYTES
  ) {
    throw new RescindError('identifier-too-long', { detail: `\`${member}\`` });
  }
}
