import { RescindError } from '../../../contracts/index.js';

/** Deeper nesting is refused: nothing that Rescind reads needs it, and code that walks a value may recurse. */
export const MAX_JSON_DEPTH = 64;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Parses JSON and refuses everything that two readers may read differently or that PostgreSQL would refuse later: invalid UTF-8 (RFC 8259
 * section 8.1), duplicate names (section 4), NUL, lone surrogates (section 8.2), a byte order mark, nesting beyond {@link MAX_JSON_DEPTH}.
 *
 * Throws RescindError `invalid-utf8`, `malformed-json`, `duplicate-key`, `nul` or `lone-surrogate`.
 */
export function parseStrictJson(bytes: Uint8Array): unknown {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw new RescindError('invalid-utf8');
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new RescindError('malformed-json');
  }
  refuseAmbiguity(text);
  return value;
}

/** Refuses duplicate names and excessive depth. `JSON.parse` has accepted the text, so every string ends where it seems to end. */
function refuseAmbiguity(text: string): void {
  const escapes = text.includes('\\');
  const open: (Set<string> | undefined)[] = [];
  let names: Set<string> | undefined;
  let atName = false;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    switch (unit) {
      case 0x7b: // {
      case 0x5b: // [
        open.push(names);
        if (open.length > MAX_JSON_DEPTH)
          throw new RescindError('malformed-json', { detail: `nested deeper than ${MAX_JSON_DEPTH}` });
        names = unit === 0x7b ? new Set() : undefined;
        atName = names !== undefined;
        break;
      case 0x7d: // }
      case 0x5d: // ]
        names = open.pop();
        atName = false;
        break;
      case 0x2c: // ,
        atName = names !== undefined;
        break;
      case 0x22: {
        const end = escapes ? endOfString(text, at) : text.indexOf('"', at + 1);
        if (atName || escapes) {
          const string = escapes ? decodeString(text.slice(at, end + 1)) : text.slice(at + 1, end);
          if (atName && names !== undefined) {
            if (names.has(string)) throw new RescindError('duplicate-key');
            names.add(string);
            atName = false;
          }
        }
        at = end;
        break;
      }
      default:
    }
  }
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; ; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit === 0x5c) at += 1;
    else if (unit === 0x22) return at;
  }
}

function decodeString(quoted: string): string {
  // Without an escape there is no NUL, which JSON requires escaped, and no lone surrogate, which UTF-8 cannot spell.
  if (!quoted.includes('\\')) return quoted.slice(1, -1);
  const string = JSON.parse(quoted) as string;
  if (string.includes('\0')) throw new RescindError('nul');
  if (/\p{Surrogate}/u.test(string)) throw new RescindError('lone-surrogate');
  return string;
}
