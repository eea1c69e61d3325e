import { RescindError } from '../contracts/index.js';

const MAX_IDENTIFIER_BYTES = 512;

/** Members whose text is no identifier; the schema bounds their length. */
const LONG_TEXT: ReadonlySet<string> = new Set(['path', 'reason', 'scope', 'error', 'route']);

/** `{"` in base64url: how nearly every header and payload begins. */
const OPEN_OBJECT = 'eyJ';
const MIN_SEGMENT_LENGTH = 11;

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
    for (const [name, inner] of Object.entries(value)) {
      checkString(name, member);
      checkStrings(inner, name);
    }
  }
}

function checkString(text: string, member: string): void {
  if (text.includes('\0')) throw new RescindError('nul', { detail: `\`${member}\`` });
  if (!text.isWellFormed()) throw new RescindError('lone-surrogate', { detail: `\`${member}\`` });
  if (holdsCompactJws(text)) throw new RescindError('secret-in-event', { detail: `\`${member}\`` });
  // A string of 170 characters cannot exceed the bound: UTF-8 spends at most three bytes on a UTF-16 unit.
  if (text.length > MAX_IDENTIFIER_BYTES / 3 && !LONG_TEXT.has(member) && Buffer.byteLength(text) > MAX_IDENTIFIER_BYTES) {
    throw new RescindError('identifier-too-long', { detail: `\`${member}\`` });
  }
}

/**
 * A compact JWS or JWE anywhere in a text; a signature may be missing (`alg` none), a payload detached. In linear time,
 * which a regular expression that looks for it at every position is not.
 */
function holdsCompactJws(text: string): boolean {
  const parts = text.split('.');
  for (let at = 0; at + 2 < parts.length; at += 1) {
    const header = base64urlTail(parts[at]!);
    const payload = parts[at + 1]!;
    if (opensObject(header.slice(Math.max(0, header.indexOf(OPEN_OBJECT)))) && opensObject(payload)) return true;
    if (isJoseHeader(header) && base64urlTail(payload).length === payload.length) return true;
  }
  return false;
}

const opensObject = (segment: string): boolean => segment.startsWith(OPEN_OBJECT) && segment.length >= MIN_SEGMENT_LENGTH;

function base64urlTail(text: string): string {
  let start = text.length;
  while (start > 0 && /[A-Za-z0-9_-]/.test(text[start - 1]!)) start -= 1;
  return text.slice(start);
}

/** RFC 7515 and 7516, section 4: `alg` is always there. JSON may begin with white space, so the letters alone do not tell. */
function isJoseHeader(segment: string): boolean {
  if (segment.length < MIN_SEGMENT_LENGTH) return false;
  try {
    const header = JSON.parse(Buffer.from(segment, 'base64url').toString('utf8')) as { alg?: unknown } | null;
    return typeof header?.alg === 'string';
  } catch {
    return false;
  }
}
