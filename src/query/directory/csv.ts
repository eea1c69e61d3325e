/** A record of a CSV file, and the line on which it begins, from 1. */
export interface CsvRecord {
  readonly line: number;
  readonly fields: readonly string[];
}

export class CsvError extends Error {
  override readonly name = 'CsvError';
  readonly line: number;
  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

/**
 * Parses RFC 4180: fields are separated by commas, quotes are doubled within quotes, lines end in CRLF or LF, which
 * quotes may contain. Empty lines are left out. Throws `CsvError`.
 */
export function parseCsv(text: string): CsvRecord[] {
  const records: CsvRecord[] = [];
  let line = 1;
  for (let at = 0; at < text.length; ) {
    const begins = line;
    const fields: string[] = [];
    for (let more = true; more; ) {
      const field = text[at] === '"' ? quoted(text, at, begins) : plain(text, at);
      line += field.lines;
      fields.push(field.value);
      at = field.end;
      more = text[at] === ',';
      if (more) at += 1;
    }
    if (text.startsWith('\r\n', at)) at += 2;
    else if (text[at] === '\n') at += 1;
    else if (at < text.length) throw new CsvError(begins, 'text follows a closing quote');
    line += 1;
    if (fields.length > 1 || fields[0] !== '') records.push({ line: begins, fields });
  }
  return records;
}

interface Field {
  readonly value: string;
  readonly end: number;
  /** Line ends within the field. */
  readonly lines: number;
}

const PLAIN = /[^,"\r\n]*/y;

function plain(text: string, at: number): Field {
  PLAIN.lastIndex = at;
  const value = PLAIN.exec(text)![0];
  return { value, end: at + value.length, lines: 0 };
}

const QUOTED = /"([^"]*(?:""[^"]*)*)"/y;

function quoted(text: string, at: number, line: number): Field {
  QUOTED.lastIndex = at;
  const found = QUOTED.exec(text);
  if (found === null) throw new CsvError(line, 'a quote is not closed');
  const raw = found[1]!;
  return { value: raw.replaceAll('""', '"'), end: at + found[0].length, lines: raw.split('\n').length - 1 };
}
