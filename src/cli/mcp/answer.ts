import { RequestFailed, type Answer } from '../client.js';
import { printable } from '../output.js';
import { answerText } from '../question/answer-text.js';
import { listOf } from '../question/lists.js';
import type { ToLocalTime } from '../local-time.js';
import type { Question } from '../question/questions.js';
import type { Schemas } from '../question/schema.js';
import { UsageError } from '../terminal.js';

/** Characters of JSON in an answer. A model reads every one of them. */
export const MAX_DATA_LENGTH = 40_000;
/** Characters of text beside the data. */
export const MAX_TEXT_LENGTH = 12_000;
/** A table of a model has no edge; a cell wider than this says less than it costs. */
const MAX_ITEMS_KEPT = 512;
const UNBOUNDED = Number.MAX_SAFE_INTEGER;

/** Result of a tool, as the protocol has it. */
export interface ToolResult {
  [member: string]: unknown;
  content: { type: 'text'; text: string }[];
  structuredContent?: Record<string, unknown>;
  isError?: boolean;
}

export const lengthOf = (answer: Answer): number => JSON.stringify(answer).length;

/** Writes an answer as data and as a short text. Both are bounded, and say what they leave out. */
export function resultOf(schemas: Schemas, toLocal: ToLocalTime, question: Question, answer: Answer): ToolResult {
  const { data, leftOut } = bounded(answer);
  const { text, notes } = answerText(schemas, toLocal, data, question.answer, UNBOUNDED);
  return written(text, [...notes, ...leftOut.map(leftOutText), ...moreText(schemas, question, answer)], data);
}

/** Writes a text and its data; the notes, which say what is missing, are never cut. */
export function written(text: string, notes: readonly string[], data: Answer): ToolResult {
  return {
    content: [{ type: 'text', text: [cut(text).trimEnd(), ...notes].join('\n\n') }],
    structuredContent: escaped(data) as Record<string, unknown>,
  };
}

/** Writes an answer that is no JSON. */
export const plainResult = (text: string): ToolResult => ({
  content: [{ type: 'text', text: cut(printableLines(text)) }],
});

/** Writes a refusal with its code. Anything unforeseen says that it failed, and no more. */
export function failureOf(error: unknown): ToolResult {
  if (error instanceof RequestFailed) {
    const { code, problem = { code } } = error;
    const { type: _, instance: __, ...told } = problem;
    const { data } = bounded(told);
    return { ...written(printable(error.message), [], { code, ...data }), isError: true };
  }
  const [code, detail] =
    error instanceof UsageError
      ? ['invalid-arguments', error.message]
      : ['failed', 'the question could not be asked; ask again, or with `rescind ask`'];
  return { ...written(`${code}: ${printable(detail)}`, [], { code, detail }), isError: true };
}

interface LeftOut {
  readonly list: string;
  readonly shown: number;
  readonly of: number;
}

/** Shortens lists until the answer is short enough. */
function bounded(answer: Answer): { readonly data: Answer; readonly leftOut: readonly LeftOut[] } {
  if (lengthOf(answer) <= MAX_DATA_LENGTH) return { data: answer, leftOut: [] };
  for (let most = MAX_ITEMS_KEPT; most >= 1; most = Math.floor(most / 2)) {
    const leftOut: LeftOut[] = [];
    const data = shortened(answer, most, '', leftOut) as Answer;
    if (lengthOf(data) <= MAX_DATA_LENGTH) return { data, leftOut };
  }
  return { data: {}, leftOut: [{ list: 'the answer', shown: 0, of: 1 }] };
}

function shortened(value: unknown, most: number, path: string, leftOut: LeftOut[]): unknown {
  if (Array.isArray(value)) {
    // Items of one list are counted once, at the list itself.
    if (value.length > most && !leftOut.some(({ list }) => list === path))
      leftOut.push({ list: path, shown: most, of: value.length });
    return value.slice(0, most).map((item) => shortened(item, most, path, leftOut));
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      shortened(member, most, path === '' ? name : `${path}.${name}`, leftOut),
    ]),
  );
}

const leftOutText = ({ list, shown, of }: LeftOut): string =>
  `The answer is too long: of \`${printable(list)}\` it shows ${shown} of ${of}. Ask with a narrower filter for the rest.`;

function moreText(schemas: Schemas, question: Question, { next }: Answer): readonly string[] {
  if (typeof next !== 'string') return [];
  const list = (listOf(schemas, question.answer) ?? 'items').replaceAll('_', ' ');
  return [`There are more ${list}: ask again with the same arguments and \`cursor\` = ${printable(next)}`];
}

function cut(text: string): string {
  if (text.length <= MAX_TEXT_LENGTH) return text;
  const end = text.lastIndexOf('\n', MAX_TEXT_LENGTH);
  const shown = text.slice(0, end > 0 ? end : MAX_TEXT_LENGTH);
  return `${shown}\n… ${text.length - shown.length} more characters; the structured answer has more, and a narrower question fits.`;
}

/** Escapes names that strangers wrote, also in the data: invisible characters can carry instructions to a model. */
function escaped(value: unknown): unknown {
  if (typeof value === 'string') return printableLines(value);
  if (Array.isArray(value)) return value.map(escaped);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [printable(name), escaped(member)]));
}

const printableLines = (text: string): string => text.split('\n').map(printable).join('\n');
