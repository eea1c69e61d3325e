import { passMember, SECRET_NAMES, type Mask } from './masking-members.js';
import {
  AT,
  BACKSLASH,
  COLON,
  DOT,
  EQUALS,
  HYPHEN,
  isBase64url,
  isSpace,
  QUOTE,
  readBase64,
  readBase64url,
  skipSpace,
  SLASH,
  type Text,
} from './masking-text.js';

/** Replaces a token or secret in the log. */
export const MASK = '[masked]';

/**
 * Masks everything token-shaped or named like a secret in a line: compact JWS and JWE (RFC 7515 section 7.1), Rescind's own secrets
 * (`rsk_…`, `whsec_…`), members and form parameters with a secret's name at any depth, authentication schemes, and passwords in URLs. A value that is
 * cut off is masked up to the cut. A line of valid JSON stays valid JSON. The work is linear in the length of the text.
 */
export function maskSecrets(line: Text): string {
  return replace(replace(line, passSecrets), passUrlPassword);
}

/** Reads the text from `at`, reports the stretches to mask, and returns the position to continue from, which is beyond `at`. */
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

/** Passes a word, a secret, or a token's header. `end` is the end of the longest run of base64url that begins at `at`. */
function passWord(text: Text, at: number, end: number, mask: Mask): number {
  const word = text.slice(at, end);
  // In JSON, the second character of `\n` looks like the start of a word.
  const opening = text.charCodeAt(at - 1) === BACKSLASH && /[bfnrt]/.test(word[0]!) ? 1 : 0;
  const own = word.search(OWN_SECRET);
  const header = text.charCodeAt(end) === DOT ? findHeader(word, opening) : -1;
  const tokenEnd = header < 0 ? undefined : readToken(text, end);
  if (tokenEnd !== undefined) {
    mask(at + (own < 0 ? header : Math.max(opening, Math.min(own, header))), tokenEnd);
    return tokenEnd;
  }
  if (own >= 0 && word.startsWith(WEBHOOK_SECRET, own)) {
    const secretEnd = readBase64(text, end);
    mask(at + Math.max(opening, own), secretEnd);
    return secretEnd;
  }
  if (own >= 0) mask(at + Math.max(opening, own), end);
  const next = text.charCodeAt(end);
  if (next === EQUALS && endsIn(FORM_NAMES, word, opening)) return passValue(text, end + 1, mask);
  if (isSpace(next) && endsIn(SCHEMES, word, opening)) return passCredentials(text, end, mask);
  return end;
}

const OWN_SECRET = /(?:rsk|whsec)_./;
/** Begins a secret that signs webhooks, which is base64 with `+`, `/` and `=`. */
const WEBHOOK_SECRET = 'whsec_';
// `code` is a form name only: authorization codes travel in forms, and Rescind's own errors have a member `code`.
const FORM_NAMES: ReadonlySet<string> = new Set([...SECRET_NAMES, 'code']);
const SCHEMES: ReadonlySet<string> = new Set(['bearer', 'basic', 'dpop']);
const LONGEST_NAME = Math.max(...[...FORM_NAMES].map((name) => name.length));

/** Matches a JOSE header in base64url: a brace, then a quote or white space. Glued to a word before it, only a longer `eyJ…` counts. */
const HEADER = /(?:(?<![A-Za-z0-9])(?:ey[A-L]|ew[k-r0-3])(?=.{6})|eyJ(?=.{15}))/;

function findHeader(word: string, opening: number): number {
  const found = word.slice(opening).search(HEADER);
  return found < 0 ? -1 : found + opening;
}

/** Returns the end of the compact token whose header ends at `end`: two to four more segments. Undefined if there is no token. */
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

/** Masks a parameter's value. Returns the start of its last word, which may be a scheme that credentials follow. */
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

/** Masks credentials (RFC 9110, section 11.4): white space, then token68. Fewer than eight characters are taken for an ordinary word. */
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

/** Masks the password of `scheme://user:password@host`. */
function passUrlPassword(text: Text, at: number, mask: Mask): number {
  if (text.charCodeAt(at) !== COLON || text.charCodeAt(at + 1) !== SLASH || text.charCodeAt(at + 2) !== SLASH)
    return at + 1;
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
