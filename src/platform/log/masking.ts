import { passMember, SECRET_NAMES, type Mask } from './masking-members.js';
import { AT, BACKSLASH, COLON, DOT, EQUALS, HYPHEN, isBase64url, isSpace, QUOTE, readBase64url, skipSpace, SLASH, type Text } from './masking-text.js';

/** What stands in the log where a token or secret stood. */
export const MASK = '[masked]';

/**
 * Replaces everything token-shaped or named like a secret in a line: compact JWS and JWE (RFC 7515 section 7.1), Rescind's own
 * `rsk_…` secrets, members and form parameters with a secret's name at any depth, authentication schemes and passwords in URLs.
 * A value that is cut off is masked to where it ends. It keeps a line of JSON valid JSON, and its work is linear in the text.
 */
export function maskSecrets(line: Text): string {
  return replace(replace(line, passSecrets), passUrlPassword);
}

/** Looks at the text from `at`, says what to mask, and returns where to go on, beyond `at`. */
type Pass = (text: Text, at: number, mask: Mask) => number;

function replace(text: Text, pass: Pass): string {
  const kept: string[] = [];
  let from = 0;
  const mask: Mask = (start, end) => {
    if (start > from || kept.length === 0) kept.push(text.slice(from, start));
    from = Math.max(from, end);
  };
  for (let at = 0; at < text.length; ) at = pass(text, at, mask);
  kept.push(text.slice(from, text.length));
  return kept.join(MASK);
}

function passSecrets(text: Text, at: number, mask: Mask): number {
  if (text.charCodeAt(at) === QUOTE) return passMember(text, at, mask);
  const end = readBase64url(text, at);
  return end === at ? at + 1 : passWord(text, at, end, mask);
}

/** `end` is where the longest run of base64url that begins at `at` ends: a word, a secret, or the header of a token. */
function passWord(text: Text, at: number, end: number, mask: Mask): number {
  const word = text.slice(at, end);
  // In JSON, `\n` ends where a word seems to begin.
  const opening = text.charCodeAt(at - 1) === BACKSLASH && /[bfnrt]/.test(word[0]!) ? 1 : 0;
  const own = word.indexOf(OWN_SECRET);
  const header = text.charCodeAt(end) === DOT ? findHeader(word, opening) : -1;
  const tokenEnd = header < 0 ? undefined : readToken(text, end);
  if (tokenEnd !== undefined) {
    mask(at + (own < 0 ? header : Math.max(opening, Math.min(own, header))), tokenEnd);
    return tokenEnd;
  }
  if (own >= 0 && own + OWN_SECRET.length < word.length) mask(at + Math.max(opening, own), end);
  const next = text.charCodeAt(end);
  if (next === EQUALS && endsIn(FORM_NAMES, word, opening)) return passValue(text, end + 1, mask);
  if (isSpace(next) && endsIn(SCHEMES, word, opening)) return passCredentials(text, end, mask);
  return end;
}

const OWN_SECRET = 'rsk_';
// `code` is a member of our own errors; authorization codes travel in forms.
const FORM_NAMES: ReadonlySet<string> = new Set([...SECRET_NAMES, 'code']);
const SCHEMES: ReadonlySet<string> = new Set(['bearer', 'basic', 'dpop']);
const LONGEST_NAME = Math.max(...[...FORM_NAMES].map((name) => name.length));

/** Base64url of a JOSE header begins with a brace and then a quote or white space. Glued to a word before it, only what is no word itself. */
const HEADER = /(?:(?<![A-Za-z0-9])(?:ey[A-L]|ew[k-r0-3])(?=.{6})|eyJ(?=.{15}))/;

function findHeader(word: string, opening: number): number {
  const found = word.slice(opening).search(HEADER);
  return found < 0 ? -1 : found + opening;
}

/** Where a compact token ends whose header ends at `end`: two to four more segments; undefined where it is none. */
function readToken(text: Text, end: number): number | undefined {
  const payloadEnd = readBase64url(text, end + 1);
  if (text.charCodeAt(payloadEnd) !== DOT) return undefined;
  let tokenEnd = readBase64url(text, payloadEnd + 1);
  for (let more = 0; more < 2 && text.charCodeAt(tokenEnd) === DOT; more += 1) {
    const next = readBase64url(text, tokenEnd + 1);
    if (next === tokenEnd + 1) break;
    tokenEnd = next;
  }
  return tokenEnd;
}

/** Whether a word ends in one of the names, where that name begins the word or follows a hyphen. */
function endsIn(names: ReadonlySet<string>, word: string, opening: number): boolean {
  const tail = word.slice(-LONGEST_NAME - 1).toLowerCase();
  for (let at = tail.length - 1; at >= 0; at -= 1) {
    const distance = word.length - tail.length + at;
    const begins = distance === 0 || distance === opening || tail.charCodeAt(at - 1) === HYPHEN;
    if (begins && names.has(tail.slice(at))) return true;
  }
  return false;
}

/** Returns where the last word of the value begins: it may be a scheme, and credentials follow. */
function passValue(text: Text, from: number, mask: Mask): number {
  let lastWord = from;
  let end = from;
  for (; end < text.length && !endsFormValue(text.charCodeAt(end)); end += 1) {
    if (!isBase64url(text.charCodeAt(end))) lastWord = end + 1;
  }
  if (end > from) mask(from, end);
  return lastWord;
}

const endsFormValue = (code: number): boolean => isSpace(code) || /[&"'\\,;]/.test(String.fromCharCode(code));

/** RFC 9110, section 11.4: white space, then token68. What is shorter than eight characters is a word of a sentence. */
function passCredentials(text: Text, end: number, mask: Mask): number {
  const from = skipSpace(text, end);
  let to = from;
  while (isToken68(text.charCodeAt(to))) to += 1;
  if (to - from < MIN_CREDENTIALS) return from;
  mask(from, to);
  return from;
}

const MIN_CREDENTIALS = 8;
const isToken68 = (code: number): boolean => /[A-Za-z0-9._~+/=-]/.test(String.fromCharCode(code));

/** The password of `scheme://user:password@host`. */
function passUrlPassword(text: Text, at: number, mask: Mask): number {
  if (text.charCodeAt(at) !== COLON || text.charCodeAt(at + 1) !== SLASH || text.charCodeAt(at + 2) !== SLASH) return at + 1;
  const userEnd = readAuthority(text, at + 3, COLON);
  if (text.charCodeAt(userEnd) !== COLON) return userEnd;
  const end = readAuthority(text, userEnd + 1, undefined);
  if (text.charCodeAt(end) !== AT || end === userEnd + 1) return userEnd;
  mask(userEnd + 1, end);
  return end;
}

function readAuthority(text: Text, from: number, stop: number | undefined): number {
  let at = from;
  for (; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === stop || code === SLASH || code === AT || code === QUOTE || isSpace(code)) break;
  }
  return at;
}
