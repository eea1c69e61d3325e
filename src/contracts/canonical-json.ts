/**
 * Writes a value by RFC 8785 (JCS): one spelling a value, so that a digest of it names the value and not the way it was written.
 *
 * Throws `TypeError` for values that JSON cannot express: non-finite numbers, lone surrogates, undefined, functions, bigint, holes. Members
 * whose value is undefined are left out, as in `JSON.stringify`; `toJSON` is not called.
 */
export function canonicalJson(value: unknown): string {
  return write(value, 0);
}

/** Deepest nesting that is accepted, so that the stack of the process is never the limit. */
const MAX_DEPTH = 1_000;

function write(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'string':
      return writeString(value);
    case 'number':
      // RFC 8785, 3.2.2.3 prescribes ECMAScript's own serialization, which writes minus zero as 0.
      if (!Number.isFinite(value)) throw new TypeError('JSON has no number that is not finite');
      return String(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      if (value === null) return 'null';
      if (depth >= MAX_DEPTH) throw new TypeError(`JSON nested deeper than ${MAX_DEPTH} levels`);
      return Array.isArray(value) ? writeArray(value, depth) : writeObject(value as Record<string, unknown>, depth);
    default:
      throw new TypeError(`JSON has no ${typeof value}`);
  }
}

/** Matches texts that JSON writes unchanged: without control characters, quotes, backslashes or surrogates. */
const PLAIN = /^[ !#-[\]-\ud7ff\ue000-\uffff]*$/;

function writeString(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  if (!text.isWellFormed()) throw new TypeError('a string holds a lone surrogate');
  return JSON.stringify(text);
}

function writeArray(values: readonly unknown[], depth: number): string {
  const parts: string[] = [];
  for (const value of values) parts.push(write(value, depth + 1));
  return `[${parts.join(',')}]`;
}

function writeObject(object: Record<string, unknown>, depth: number): string {
  const names = Object.keys(object);
  // The default order compares UTF-16 code units, as RFC 8785, 3.2.3 requires.
  if (!isSorted(names)) names.sort();
  let text = '{';
  for (const name of names) {
    const value = object[name];
    if (value !== undefined) text += `${text.length === 1 ? '' : ','}${writeString(name)}:${write(value, depth + 1)}`;
  }
  return `${text}}`;
}

function isSorted(names: readonly string[]): boolean {
  for (let at = 1; at < names.length; at += 1) if (names[at - 1]! > names[at]!) return false;
  return true;
}
