import { isAscii } from 'node:buffer';
import { MAX_FORM_PARAMETERS } from '../../contracts/index.js';

/** A parameter sent without a value counts as not sent (RFC 6749, section 3.2). */
export interface Form {
  get(name: string): string | undefined;
}

/** Names and values side by side: a request has two or three, and a Map costs more than it finds. */
class ParsedForm implements Form {
  readonly #names: string[] = [];
  readonly #values: string[] = [];

  get(name: string): string | undefined {
    const at = this.#names.indexOf(name);
    const value = at === -1 ? '' : this.#values[at]!;
    return value === '' ? undefined : value;
  }

  /** False for a name that is there already, and for one too many. */
  add(name: string, value: string): boolean {
    if (this.#names.length === MAX_FORM_PARAMETERS || this.#names.includes(name)) return false;
    this.#names.push(name);
    this.#values.push(value);
    return true;
  }
}

/**
 * `application/x-www-form-urlencoded`, strictly: undefined for what is not ASCII, wrongly escaped, or names a parameter
 * twice, which RFC 6749, section 3.2 forbids also for parameters that nobody reads.
 */
export function parseForm(body: Buffer): Form | undefined {
  if (!isAscii(body)) return undefined;
  const text = body.toString('latin1');
  const isPlain = !text.includes('%') && !text.includes('+');
  const form = new ParsedForm();
  for (let from = 0; from < text.length; ) {
    let to = text.indexOf('&', from);
    if (to === -1) to = text.length;
    if (to > from) {
      let equals = text.indexOf('=', from);
      if (equals === -1 || equals > to) equals = to;
      const name = unescape(text.slice(from, equals), isPlain);
      const value = equals === to ? '' : unescape(text.slice(equals + 1, to), isPlain);
      if (name === undefined || value === undefined || !form.add(name, value)) return undefined;
    }
    from = to + 1;
  }
  return form;
}

function unescape(text: string, isPlain: boolean): string | undefined {
  if (isPlain) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
