/** The methods of a string that masking uses. Its spec counts the reads. */
export interface Text {
  readonly length: number;
  /** NaN outside the text. */
  charCodeAt(at: number): number;
  slice(from: number, to: number): string;
}

export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const HYPHEN = 0x2d;
export const DOT = 0x2e;
export const SLASH = 0x2f;
export const COLON = 0x3a;
export const EQUALS = 0x3d;
export const AT = 0x40;
export const OPEN_ARRAY = 0x5b;
export const BACKSLASH = 0x5c;

/** Returns the end of the base64url characters (RFC 4648, section 5) that begin at `from`. */
export function readBase64url(text: Text, from: number): number {
  let at = from;
  while (isBase64url(text.charCodeAt(at))) at += 1;
  return at;
}

/** Returns the end of the characters of base64 (RFC 4648, section 4) or base64url that begin at `from`. */
export function readBase64(text: Text, from: number): number {
  let at = from;
  while (isBase64url(text.charCodeAt(at)) || BASE64_ALONE.has(text.charCodeAt(at))) at += 1;
  return at;
}

const BASE64_ALONE: ReadonlySet<number> = new Set([0x2b, SLASH, EQUALS]);

export function skipSpace(text: Text, from: number): number {
  let at = from;
  while (isSpace(text.charCodeAt(at))) at += 1;
  return at;
}

/** Whether the character is white space, as `\s` defines it. */
export const isSpace = (code: number): boolean =>
  code === 0x20 || (code >= 0x09 && code <= 0x0d) || (code >= 0xa0 && /\s/.test(String.fromCharCode(code)));

export const isBase64url = (code: number): boolean =>
  (code >= 0x61 && code <= 0x7a) ||
  (code >= 0x41 && code <= 0x5a) ||
  (code >= 0x30 && code <= 0x39) ||
  code === 0x5f ||
  code === 0x2d;
