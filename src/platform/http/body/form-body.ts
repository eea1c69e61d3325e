import { isAscii } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { onBody } from './read-body.js';

const FORM_MEDIA_TYPE = 'application/x-www-form-urlencoded';

/** Bytes of a form. A longer form is refused. */
export const MAX_FORM_BYTES = 64 * 1024;

/** Parameters of one form; more are refused. RFC 7662 and client authentication together know six. */
export const MAX_FORM_PARAMETERS = 32;

/** A parameter sent without a value counts as not sent (RFC 6749, section 3.2). */
export interface Form {
  get(name: string): string | undefined;
}

export type FormProblem = 'not-a-form' | 'too-large' | 'malformed';

/**
 * Reads a whole form and calls `done` once. Never calls it if the request breaks off, because nobody is left to answer.
 * `/introspect` uses it: a promise would add a microsecond to each call.
 */
export function onForm(req: IncomingMessage, done: (form: Form | FormProblem) => void): void {
  if (!isForm(req)) return done('not-a-form');
  onBody(req, MAX_FORM_BYTES, (body) => done(body === undefined ? 'too-large' : (parseForm(body) ?? 'malformed')));
}

/** Reads a whole form as {@link onForm} does. */
export const readForm = (req: IncomingMessage): Promise<Form | FormProblem> =>
  new Promise((resolve) => onForm(req, resolve));

/** The media type alone decides (RFC 9110, section 8.3.1); an encoded body is not decoded. */
function isForm({ headers }: IncomingMessage): boolean {
  const type = headers['content-type'];
  if (type === undefined || headers['content-encoding'] !== undefined) return false;
  return type === FORM_MEDIA_TYPE || type.split(';', 1)[0]!.trim().toLowerCase() === FORM_MEDIA_TYPE;
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
 * Parses `application/x-www-form-urlencoded` strictly. Returns undefined for a body that is not ASCII (everything beyond is escaped in a form:
 * WHATWG URL, section 5.2), is wrongly escaped, has too many parameters, or names one twice, which RFC 6749, section 3.2 forbids also for
 * parameters that nobody reads.
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
