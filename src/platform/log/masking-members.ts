import { BACKSLASH, COLON, COMMA, OPEN_ARRAY, QUOTE, readBase64url, skipSpace, type Text } from './masking-text.js';

/** Names of members and parameters whose values are secrets, in lower case. */
export const SECRET_NAMES: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'dpop',
  'token',
  'access_token',
  'refresh_token',
  'id_token',
  'subject_token',
  'actor_token',
  'assertion',
  'client_assertion',
  'client_secret',
  'secret',
  'password',
  'passwd',
  'code_verifier',
  'api_key',
  'private_key',
  'routing_key',
]);

/** Receives each stretch to mask, ordered by start. Stretches may overlap. */
export type Mask = (start: number, end: number) => void;

/**
 * Passes the quote at `at`. If the quote opens the name of a secret, also masks and passes its value: one string, or the strings of an
 * array. In nested JSON, backslashes precede each quote; `depth` is their number, 0 in the outermost JSON.
 */
export function passMember(text: Text, at: number, mask: Mask): number {
  const nameEnd = readBase64url(text, at + 1);
  if (nameEnd - at - 1 > LONGEST_NAME || !SECRET_NAMES.has(text.slice(at + 1, nameEnd).toLowerCase())) return at + 1;
  const closing = skipBackslashes(text, nameEnd);
  const depth = closing - nameEnd;
  if (text.charCodeAt(closing) !== QUOTE || !isPrecededBy(text, at, depth)) return at + 1;
  const colon = skipSpace(text, closing + 1);
  if (text.charCodeAt(colon) !== COLON) return closing;
  const value = skipSpace(text, colon + 1);
  const end =
    text.charCodeAt(value) === OPEN_ARRAY
      ? passArray(text, value + 1, depth, mask)
      : passString(text, value, depth, mask);
  // If the text is not JSON, the quote that ends one string may open the next name.
  return text.charCodeAt(end - 1) === QUOTE ? end - 1 : end;
}

const LONGEST_NAME = Math.max(...[...SECRET_NAMES].map((name) => name.length));

/** Masks the strings at the start of an array. Returns the position of the last one: if the text is not an array, it may be a name. */
function passArray(text: Text, from: number, depth: number, mask: Mask): number {
  let last = from;
  let at = from;
  for (;;) {
    const element = skipSeparators(text, at);
    const end = passString(text, element, depth, mask);
    if (end === element) return last;
    last = element + depth + 1;
    at = end;
  }
}

/** Masks a string that begins at `from`. Passes nothing if no string begins there. */
function passString(text: Text, from: number, depth: number, mask: Mask): number {
  const opening = skipBackslashes(text, from);
  if (opening - from !== depth || text.charCodeAt(opening) !== QUOTE) return from;
  let at = opening + 1;
  while (at < text.length) {
    const quote = skipBackslashes(text, at);
    if (text.charCodeAt(quote) !== QUOTE) {
      at = quote + 1;
      continue;
    }
    const backslashes = quote - at;
    if (endsOuter(backslashes, depth)) {
      mask(opening + 1, at);
      return at;
    }
    if (endsInner(backslashes, depth)) {
      mask(opening + 1, quote - depth);
      return quote + 1;
    }
    at = quote + 1;
  }
  mask(opening + 1, text.length);
  return text.length;
}

/** Whether the quote ends a string around the one at `depth`, which was cut off. Such a quote stays, so that the line remains JSON. */
const endsOuter = (backslashes: number, depth: number): boolean =>
  backslashes < depth || (depth > 0 && backslashes % 2 === 0);

/**
 * Whether the quote ends the string. Each nesting level doubles the backslashes. At `depth`, an even number before a quote leaves it
 * unescaped.
 */
const endsInner = (backslashes: number, depth: number): boolean =>
  Math.floor((backslashes + 1) / (depth + 1)) % 2 === 1;

function isPrecededBy(text: Text, at: number, backslashes: number): boolean {
  for (let before = 1; before <= backslashes; before += 1) if (text.charCodeAt(at - before) !== BACKSLASH) return false;
  return true;
}

function skipBackslashes(text: Text, from: number): number {
  let at = from;
  while (text.charCodeAt(at) === BACKSLASH) at += 1;
  return at;
}

/** Skips commas and white space. In nested JSON a line end is written `\n`. */
function skipSeparators(text: Text, from: number): number {
  let at = from;
  for (;;) {
    const next = skipSpace(text, text.charCodeAt(at) === COMMA ? at + 1 : at);
    const escaped = skipBackslashes(text, next);
    const end = escaped > next && /[nrt]/.test(String.fromCharCode(text.charCodeAt(escaped))) ? escaped + 1 : next;
    if (end === at) return at;
    at = end;
  }
}
