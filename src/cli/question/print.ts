import type { Answer, Client } from '../client.js';
import { queryOf } from '../client.js';
import { csvLine } from '../../platform/csv/index.js';
import { createProgress } from '../progress.js';
import { UsageError, write, type Terminal } from '../terminal.js';
import { answerText, namedEdges } from './answer-text.js';
import { columnsOf, listOf, valueAt } from './lists.js';
import { createLocalTime } from '../local-time.js';
import type { Catalogue, Question } from './questions.js';
import type { Schemas } from './schema.js';
import type { Asked } from './words.js';

export const FORMATS = ['table', 'json', 'jsonl', 'csv'] as const;
export type Format = (typeof FORMATS)[number];

export interface Printing {
  readonly format: Format;
  readonly isAll: boolean;
}

/** A table that goes to a file or to another program is as wide as it needs to be. */
const UNBOUNDED = Number.MAX_SAFE_INTEGER;
const ASSUMED_COLUMNS = 80;

/** Asks, and writes the answer. Of a list it writes one page, or all pages. */
export async function printAnswer(
  terminal: Terminal,
  client: Client,
  { schemas }: Catalogue,
  question: Question,
  asked: Asked,
  { format, isAll }: Printing,
): Promise<void> {
  const ask = (query: Asked['query'], accept = 'application/json') =>
    client.open(question.method, `${asked.path}${queryOf(query)}`, asked.body, accept);
  const { out, err } = terminal;
  if (format === 'csv' && question.writesCsv)
    return copy(terminal, (await ask({ ...asked.query, format: 'csv' }, 'text/csv')).chunks);
  const { contentType, chunks } = await ask(isAll ? withLargestPage(question, asked.query) : asked.query);
  if (!contentType.startsWith('application/json')) return copy(terminal, chunks);
  if (format === 'json' && out.isTTY !== true) return copy(terminal, chunks, '\n');
  const answer = await read(chunks);
  if (format === 'json') return write(out, `${JSON.stringify(answer, undefined, 2)}\n`);
  if (format === 'table') {
    const { text, notes } = answerText(
      schemas,
      createLocalTime(terminal.env['TZ']),
      answer,
      question.answer,
      widthOf(terminal),
    );
    await write(out, text);
    if (notes.length > 0) err.write(`${notes.join(' ')} -o json shows everything.\n`);
    return more(terminal, schemas, question, answer);
  }
  const progress = isAll && err.isTTY === true && out.isTTY !== true ? createProgress(err) : undefined;
  const lines = linesOf(schemas, question, format);
  await write(out, lines.head);
  let page = answer;
  let count = 0;
  try {
    for (;;) {
      const { rows } = rowsOf(schemas, question, page);
      for (const row of rows) await write(out, lines.line(row));
      count += rows.length;
      progress?.show(`${count.toLocaleString('en-US')} lines`);
      const next = page['next'];
      if (!isAll || typeof next !== 'string') break;
      page = await read((await ask({ ...withLargestPage(question, asked.query), cursor: next })).chunks);
    }
  } finally {
    progress?.end();
  }
  if (!isAll) more(terminal, schemas, question, page);
}

async function copy({ out }: Terminal, chunks: AsyncIterable<string>, end = ''): Promise<void> {
  for await (const chunk of chunks) await write(out, chunk);
  if (end !== '') await write(out, end);
}

async function read(chunks: AsyncIterable<string>): Promise<Answer> {
  let text = '';
  for await (const chunk of chunks) text += chunk;
  return JSON.parse(text) as Answer;
}

function widthOf({ out, env }: Terminal): number {
  if (out.isTTY === true) return out.columns ?? ASSUMED_COLUMNS;
  const columns = Number(env['COLUMNS']);
  return Number.isSafeInteger(columns) && columns > 0 ? columns : UNBOUNDED;
}

/** Asks for as much as a page may hold, if the caller has not said how much. */
function withLargestPage({ options }: Question, query: Asked['query']): Asked['query'] {
  const limit = options.find(({ name }) => name === 'limit')?.schema.maximum;
  return limit === undefined ? query : { limit: String(limit), ...query };
}

function linesOf(
  schemas: Schemas,
  { answer }: Question,
  format: 'jsonl' | 'csv',
): { readonly head: string; line(row: unknown): string } {
  if (format === 'jsonl') return { head: '', line: (row) => `${JSON.stringify(row)}\n` };
  const list = listOf(schemas, answer);
  const columns = columnsOf(schemas, list === undefined ? answer : itemOf(schemas, answer, list));
  if (columns.length === 0) throw new UsageError('this answer has no columns: ask with -o json');
  return { head: csvLine(columns), line: (row) => csvLine(columns.map((column) => valueAt(row, column))) };
}

const itemOf = (schemas: Schemas, answer: Question['answer'], list: string) =>
  schemas.itemOf(schemas.propertiesOf(answer)[list]);

function rowsOf(schemas: Schemas, { answer }: Question, page: Answer): { readonly rows: readonly unknown[] } {
  const list = listOf(schemas, answer);
  if (list === undefined) return { rows: [page] };
  return { rows: (namedEdges(page)[list] as readonly unknown[] | undefined) ?? [] };
}

/** Says how to get the rest of a list. */
function more({ err }: Terminal, schemas: Schemas, question: Question, { next }: Answer): void {
  if (typeof next !== 'string') return;
  const limit = question.options.find(({ name }) => name === 'limit')?.schema.maximum;
  const larger = limit === undefined ? '' : `, --limit ${limit} a longer page`;
  const list = listOf(schemas, question.answer) ?? 'items';
  err.write(
    `There are more ${list.replaceAll('_', ' ')}: --all -o csv (or jsonl) writes all${larger}; the next page: --cursor ${next}\n`,
  );
}
