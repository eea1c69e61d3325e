const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN = new Set([0x5b, 0x7b]);
const CLOSE = new Set([0x5d, 0x7d]);
const SPACE = new Set([0x20, 0x09, 0x0a, 0x0d]);

/**
 * Returns the raw bytes of each element of a JSON array, without surrounding white space, because a batch element commits to the bytes
 * that came. The bytes must be a JSON array that a parser has accepted: this function does not validate.
 */
export function sliceElements(array: Buffer): Buffer[] {
  const slices: Buffer[] = [];
  let depth = 0;
  let start = -1;
  const end = (at: number): void => {
    const slice = trim(array.subarray(start, at));
    if (slice.length > 0) slices.push(slice);
  };
  for (let at = 0; at < array.length; at++) {
    const byte = array[at]!;
    if (byte === QUOTE) at = endOfString(array, at);
    else if (OPEN.has(byte)) {
      depth += 1;
      if (depth === 1) start = at + 1;
    } else if (CLOSE.has(byte)) {
      depth -= 1;
      if (depth === 0) end(at);
    } else if (byte === COMMA && depth === 1) {
      end(at);
      start = at + 1;
    }
  }
  return slices;
}

function endOfString(bytes: Buffer, start: number): number {
  let at = start + 1;
  while (bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}

/** Returns the lines of an NDJSON body. Empty lines are not events. */
export function sliceLines(body: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  let start = 0;
  for (let at = body.indexOf(0x0a); ; at = body.indexOf(0x0a, start)) {
    const line = trim(body.subarray(start, at === -1 ? body.length : at));
    if (line.length > 0) lines.push(line);
    if (at === -1) return lines;
    start = at + 1;
  }
}

function trim(bytes: Buffer): Buffer {
  let start = 0;
  let end = bytes.length;
  // `bytes[-1]` and `bytes[length]` are undefined, so both loops end.
  while (SPACE.has(bytes[start]!)) start += 1;
  while (SPACE.has(bytes[end - 1]!)) end -= 1;
  return bytes.subarray(start, end);
}
