import { CsvError as ParserError, parse, type CsvErrorCode } from 'csv-parse/sync';

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

const REASONS: Readonly<Partial<Record<CsvErrorCode, string>>> = {
  CSV_QUOTE_NOT_CLOSED: 'a quote is not closed',
  CSV_INVALID_CLOSING_QUOTE: 'text follows a closing quote',
  INVALID_OPENING_QUOTE: 'a quote follows other text of a field',
};

/**
 * Parses RFC 4180: fields are separated by commas, quotes are doubled within quotes, lines end in CRLF or LF, which
 * quotes may contain. Empty lines are left out. Throws `CsvError`, and what `onTooMany` throws if there are more than
 * `maxRecords`.
 */
export function parseCsv(text: string, maxRecords: number, onTooMany: () => never): CsvRecord[] {
  const found: CsvRecord[] = [];
  // The parser's own count takes a CRLF within quotes for two lines, and tells where a quote was missed, not opened.
  let line = 1;
  try {
    parse(text, {
      record_delimiter: ['\r\n', '\n'],
      relax_column_count: true,
      skip_empty_lines: true,
      on_record(fields: readonly string[], { empty_lines }) {
        const begins = line + empty_lines;
        if (fields.some((field) => /\r(?!\n)/.test(field)))
          throw new CsvError(begins, 'a carriage return stands without a line feed');
        if (fields.length > 1 || fields[0] !== '') found.push({ line: begins, fields });
        if (found.length > maxRecords) onTooMany();
        line += 1 + fields.reduce((ends, field) => ends + field.split('\n').length - 1, 0);
      },
    });
  } catch (error) {
    const reason = error instanceof ParserError ? REASONS[error.code] : undefined;
    if (reason === undefined) throw error;
    throw new CsvError(line + Number((error as ParserError)['empty_lines']), reason);
  }
  return found;
}
