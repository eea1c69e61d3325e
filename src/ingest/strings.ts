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
    for (const name of Object.keys(value)) {
      checkString(name, member);
      checkStrings((value as Record<string, unknown>)[name], name);
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
  // Nearly no text has two dots, and of those that do, host names and versions, hardly one has a long enough part before the first.
  let dot = text.indexOf('.');
  let next = dot === -1 ? -1 : text.indexOf('.', dot + 1);
  for (let start = 0; next !== -1; start = dot + 1, dot = next, next = text.indexOf('.', dot + 1)) {
    if (dot - start < MIN_SEGMENT_LENGTH) continue;
    const tail = startOfBase64urlTail(text, start, dot);
    if (dot - tail < MIN_SEGMENT_LENGTH) continue;
    const header = text.slice(tail, dot);
    const payload = text.slice(dot + 1, next);
    if (opensObject(header.slice(Math.max(0, header.indexOf(OPEN_OBJECT)))) && opensObject(payload)) return true;
    if (isJoseHeader(header) && startOfBase64urlTail(payload, 0, payload.length) === 0) return true;
  }
  return false;
}

const opensObject = (segment: string): boolean => segment.startsWith(OPEN_OBJECT) && segment.length >= MIN_SEGMENT_LENGTH;

/** Where the letters of base64url begin that lead up to `end`. */
function startOfBase64urlTail(text: string, from: number, end: number): number {
  let start = end;
  while (start > from && isBase64url(text.charCodeAt(start - 1))) start -= 1;
  return start;
}

const isBase64url = (unit: number): boolean =>
  (unit >= 0x61 && unit <= 0x7a) || (unit >= 0x41 && unit <= 0x5a) || (unit >= 0x30 && unit <= 0x39) || unit === 0x2d || unit === 0x5f;

/** What base64url makes of `{`, of a space, and of a tab or line feed, or of a carriage return, where it is the first byte. */
const FIRST_LETTERS = 'eICD';

/** RFC 7515 and 7516, section 4: `alg` is always there. JSON may begin with white space, so the letters alone do not tell. */
function isJoseHeader(segment: string): boolean {
  // Of a host name or a version, which most of what comes here is, parsing would make an error each time.
  if (segment.length < MIN_SEGMENT_LENGTH || !FIRST_LETTERS.includes(segment[0]!)) return false;
  try {
    const header = JSON.parse(Buffer.from(segment, 'base64url').toString('utf8')) as { alg?: unknown } | null;
    return typeof header?.alg === 'string';
  } catch {
    return false;
  }
}
