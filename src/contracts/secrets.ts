/** `{"` in base64url, with which nearly every header and payload begins. */
const OPEN_OBJECT = 'eyJ';
const MIN_SEGMENT_LENGTH = 11;

/**
 * Rescind's own secrets: a prefix and 43 characters of base64url. A long part of a secret counts; a name that only begins like one does
 * not.
 */
const OWN_PREFIX = 'rsk_';
const OWN_SECRET = /rsk_[A-Za-z0-9_-]{32}/;

/**
 * Form and query parameters that carry a credential (RFC 6749 and 6750). A token has at least 128 bits, so a value shorter than 16
 * characters is a mask or an example.
 */
const PARAMETER =
  /(?:access_token|refresh_token|id_token|client_secret|assertion|subject_token|actor_token)=[A-Za-z0-9._~+/%-]{16}/i;

/**
 * Says whether a text contains a credential: a compact JWS or JWE, a secret of Rescind (`rsk_…`), or a form or query parameter with a token
 * as its value. The ledger keeps its entries, so such a text MUST NOT be recorded. Takes linear time.
 */
export const holdsSecret = (text: string): boolean =>
  (text.includes('.') && holdsCompactJws(text)) ||
  (text.includes('=') && PARAMETER.test(text)) ||
  (text.includes(OWN_PREFIX) && OWN_SECRET.test(text));

/**
 * Finds a compact JWS or JWE anywhere in a text; its signature may be missing (`alg` none) and its payload detached. A regular expression
 * tried at every position would take quadratic time.
 */
function holdsCompactJws(text: string): boolean {
  // Hardly any text has two dots, and among those that do (host names, versions) hardly any has a long enough part before the first dot.
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

const opensObject = (segment: string): boolean =>
  segment.startsWith(OPEN_OBJECT) && segment.length >= MIN_SEGMENT_LENGTH;

/** Returns the start of the base64url characters that lead up to `end`. */
function startOfBase64urlTail(text: string, from: number, end: number): number {
  let start = end;
  while (start > from && isBase64url(text.charCodeAt(start - 1))) start -= 1;
  return start;
}

const isBase64url = (unit: number): boolean =>
  (unit >= 0x61 && unit <= 0x7a) ||
  (unit >= 0x41 && unit <= 0x5a) ||
  (unit >= 0x30 && unit <= 0x39) ||
  unit === 0x2d ||
  unit === 0x5f;

/** First base64url character of a text that begins with `{`, space, tab, line feed or carriage return. */
const FIRST_LETTERS = 'eICD';

/**
 * Says whether a segment is a JOSE header: `alg` is always present (RFC 7515 and 7516, section 4). JSON may begin with white space, so the
 * first characters alone do not decide.
 */
function isJoseHeader(segment: string): boolean {
  // Most segments here belong to host names or versions, for which parsing would create an error each time.
  if (segment.length < MIN_SEGMENT_LENGTH || !FIRST_LETTERS.includes(segment[0]!)) return false;
  try {
    const header = JSON.parse(Buffer.from(segment, 'base64url').toString('utf8')) as { alg?: unknown } | null;
    return typeof header?.alg === 'string';
  } catch {
    return false;
  }
}
