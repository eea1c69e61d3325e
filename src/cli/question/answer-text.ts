import type { Answer } from '../client.js';
import { printable } from '../output.js';
import { createCells, type Cells, type Leaf } from './cells.js';
import type { Schema } from './document.js';
import type { ToLocalTime } from '../local-time.js';
import type { Schemas } from './schema.js';
import { linesOf, tableOf } from './table.js';

/** Rows that are shown as blocks if a table has no room for all their columns. */
const FEW_ROWS = 3;
/** A value is not broken into shorter lines. */
const READABLE = 20;

export interface AnswerText {
  readonly text: string;
  readonly notes: readonly string[];
}

interface Section {
  readonly path: readonly string[];
  readonly rows: readonly Answer[];
  readonly schema: Schema | undefined;
}

/** Writes an answer for people: single values a line each, then a table for each list, then the moment that the answer is about. */
export function answerText(
  schemas: Schemas,
  toLocal: ToLocalTime,
  answer: Answer,
  schema: Schema | undefined,
  width: number,
): AnswerText {
  const cells = createCells(schemas, toLocal);
  const { as_of: asOf, next: _, ...shown } = namedEdges(answer);
  const lists = sectionsOf(schemas, shown, schema);
  const notes = new Set<string>();
  const record = recordOf(cells.leavesOf(shown, schema, false).filter(says), width);
  const parts = [record];
  for (const section of lists) {
    const isPlain = lists.length === 1 && (record === '' || section.path.join('') === 'items');
    const { text, notes: own } = sectionText(cells, section, isPlain ? undefined : titleOf(section.path), width);
    own.forEach((note) => notes.add(note));
    parts.push(text);
  }
  const when = asOf === undefined ? '' : momentText(cells, asOf as Answer, schemas.propertiesOf(schema)['as_of']);
  return { text: [...parts, when].filter((part) => part !== '').join('\n'), notes: [...notes] };
}

/** Formats a list as a table; a few rows that have no room in a table, as one block each. */
function sectionText(cells: Cells, { rows, schema }: Section, title: string | undefined, width: number): AnswerText {
  if (rows.length === 0) return { text: title === undefined ? 'none\n' : `${title}: none\n`, notes: [] };
  const leaves = rows.map((row) => cells.leavesOf(row, schema, true));
  const head = title === undefined ? '' : `${title}:\n`;
  const table = tableOf(leaves, width);
  if (table.notes.length === 0 || rows.length > FEW_ROWS) return { text: `${head}${table.text}`, notes: table.notes };
  const blocks = leaves.map((row) =>
    recordOf(
      row.filter(({ cell }) => cell.isBlank !== true),
      width,
    ),
  );
  return { text: `${head}${blocks.join('\n')}`, notes: [] };
}

function titleOf(path: readonly string[]): string {
  const words = printable(path.join(' ').replaceAll('_', ' '));
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}

/** Leaves out that nothing was left out. */
const says = ({ path, cell }: Leaf): boolean =>
  !(path.some((name) => /(?:left_out|at_least)$/.test(name)) && (cell.isBlank === true || cell.text === '0'));

/** Formats single values, one a line. */
function recordOf(leaves: readonly Leaf[], width: number): string {
  const lines = leaves.map(({ path, cell }) => [path.join(' ').replaceAll('_', ' '), textOf(cell)] as const);
  const left = Math.max(0, ...lines.map(([name]) => name.length));
  return lines.map(([name, text]) => `${name.padEnd(left)}  ${wrapped(text, left + 2, width)}\n`).join('');
}

const textOf = ({ text, issuer }: Leaf['cell']): string => (issuer === undefined ? text : `${text} @ ${issuer}`);

/** Breaks a long value between words, below its beginning. */
function wrapped(text: string, indent: number, width: number): string {
  const room = width - indent;
  return text.length <= room || room < READABLE ? text : linesOf(text, room).join(`\n${' '.repeat(indent)}`);
}

function momentText(cells: Cells, asOf: Answer, schema: Schema | undefined): string {
  const cell = cells.cellOf(asOf, schema, 'as_of');
  const index = asOf['index'] === undefined ? '' : ` (ledger index ${printable(String(asOf['index']))})`;
  return cell === undefined ? '' : `As of ${cell.text}${index}.\n`;
}

/** Finds the lists of an answer, also those inside its objects. */
function sectionsOf(
  schemas: Schemas,
  value: Answer,
  schema: Schema | undefined,
  path: readonly string[] = [],
): Section[] {
  const properties = schemas.propertiesOf(schema);
  return Object.entries(value).flatMap(([name, member]): Section[] => {
    const here = [...path, name];
    const own = properties[name];
    if (Array.isArray(member)) {
      const isList = member.length > 0 ? typeof member[0] === 'object' && member[0] !== null : schemas.isTable(own);
      return isList ? [{ path: here, rows: member as Answer[], schema: schemas.itemOf(own) }] : [];
    }
    return typeof member === 'object' && member !== null ? sectionsOf(schemas, member as Answer, own, here) : [];
  });
}

/** Puts the names of the nodes of a graph at the ends of its edges. */
export function namedEdges(answer: Answer): Answer {
  const { nodes, edges } = answer as { nodes?: readonly Answer[]; edges?: readonly Answer[] };
  if (!Array.isArray(nodes) || !Array.isArray(edges)) return answer;
  const names = new Map(
    nodes.map(({ id, type, name }: Answer) => [id, `${String(type)} ${String(name).replace(/^https:\/\//, '')}`]),
  );
  return {
    ...answer,
    edges: edges.map((edge: Answer) => ({
      ...edge,
      from: names.get(edge['from']) ?? edge['from'],
      to: names.get(edge['to']) ?? edge['to'],
    })),
  };
}
