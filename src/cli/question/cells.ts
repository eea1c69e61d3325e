import { authorText, grouped, selectorText } from '../ask/rule-text.js';
import { printable } from '../output.js';
import { quoted } from './quoted.js';
import type { Schema } from './document.js';
import { rfc3339Of, type LocalTime, type ToLocalTime } from '../local-time.js';
import type { Schemas } from './schema.js';

/** One value as a table shows it. */
export interface Cell {
  readonly text: string;
  readonly kind: 'text' | 'number' | 'time' | 'id';
  /** There is nothing to show: a column of such cells is left out. */
  readonly isBlank?: true;
  readonly time?: LocalTime;
  /** The issuer of a name, which is shown only if two issuers have the name. */
  readonly issuer?: string;
}

/** A value with its place in the answer: `since.at`. */
export interface Leaf {
  readonly path: readonly string[];
  readonly cell: Cell;
}

type Json = unknown;
type Members = Readonly<Record<string, Json>>;

/** Members that name the thing that an object stands for, the best first. */
const NAMES = ['sub', 'client_id', 'uri', 'name', 'id', 'caller'] as const;
/** An object that has a name and nothing but these is a reference. */
const REFERENCE: ReadonlySet<string> = new Set([...NAMES, 'entity', 'iss', 'tenant', 'display_name', 'kind']);
/** Members that only lead to another question. */
const IDS: ReadonlySet<string> = new Set([
  'id',
  'index',
  'entity',
  'token',
  'entry',
  'connection',
  'commitment',
  'leaf_hash',
]);
/** The place of an entry in the ledger and the time when it came; a person reads the time. */
const POINT: ReadonlySet<string> = new Set(['index', 'at']);

/** Writes a request of the API, by which an answer leads to another question, as the words after `rescind`. */
function commandOf(request: string): string {
  const { pathname, searchParams } = new URL(request, 'http://localhost');
  const words = pathname
    .split('/')
    .slice(2)
    .map((word) => quoted(wordOf(word)));
  const options = [...searchParams].map(([name, value]) => `--${name.replaceAll('_', '-')} ${quoted(value)}`);
  return ['ask', ...words, ...options].join(' ');
}

/** A name that is not encoded as it should be is shown as it is. */
const wordOf = (segment: string): string => {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
};

const isMembers = (value: Json): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isObjects = (value: Json): value is readonly Members[] =>
  Array.isArray(value) && value.length > 0 && value.every(isMembers);
/** Every issuer and resource begins alike, and a table has little room. */
const hostOf = (url: string): string => url.replace(/^(?:issuer:)?https:\/\//, '');

export const BLANK: Cell = { text: '-', kind: 'text', isBlank: true };

export interface Cells {
  /** Shows a value in one cell; undefined for an object whose members have cells of their own. */
  cellOf(value: Json, schema: Schema | undefined, name: string): Cell | undefined;
  /** Lists the cells of an object, in the order of its schema. Arrays of objects are left out if `isRow` is false. */
  leavesOf(value: Members, schema: Schema | undefined, isRow: boolean, path?: readonly string[]): Leaf[];
}

export function createCells(schemas: Schemas, toLocal: ToLocalTime): Cells {
  function timeCell(value: Json, schema: Schema | undefined): Cell | undefined {
    if (typeof value !== 'string' || !schemas.isTime(schema)) return undefined;
    const milliseconds = Date.parse(value);
    if (Number.isNaN(milliseconds)) return undefined;
    const time = toLocal(milliseconds);
    return { text: rfc3339Of(time), kind: 'time', time };
  }

  function cellOf(value: Json, schema: Schema | undefined, name: string): Cell | undefined {
    if (value === false) return { text: 'no', kind: 'text', isBlank: true };
    if (value === null || value === undefined || value === '') return BLANK;
    if (Array.isArray(value)) return value.length === 0 ? BLANK : { text: listText(value, schema), kind: 'text' };
    if (isMembers(value)) return objectCell(value, schema, name);
    const time = timeCell(value, schema);
    if (time !== undefined) return time;
    if (value === true) return { text: 'yes', kind: 'text' };
    if (typeof value === 'number')
      return { text: schemas.isCount(schema) ? grouped(value) : String(value), kind: IDS.has(name) ? 'id' : 'number' };
    if (name === 'see' && String(value).startsWith('/v1/')) return { text: commandOf(String(value)), kind: 'id' };
    const isId = IDS.has(name) || schemas.isOpaque(schema);
    return isId
      ? { text: printable(String(value)), kind: 'id' }
      : { text: printable(hostOf(String(value))), kind: 'text' };
  }

  function objectCell(value: Members, schema: Schema | undefined, name: string): Cell | undefined {
    const members = Object.keys(value);
    // A role without bounds, for example: that it stands there says something.
    if (members.length === 0) return { text: 'yes', kind: 'text' };
    if (name === 'selector') return { text: selectorText(value), kind: 'text' };
    if (name === 'author') return { text: authorText(value), kind: 'text' };
    if (members.every((member) => POINT.has(member)) && 'at' in value)
      return timeCell(value['at'], schemas.propertiesOf(schema)['at']);
    return members.every((member) => REFERENCE.has(member)) ? nameCell(value) : undefined;
  }

  function nameCell(value: Members): Cell | undefined {
    const name = NAMES.map((member) => value[member]).find((found) => typeof found === 'string');
    if (name === undefined) return undefined;
    const shown = value['display_name'];
    const iss = value['iss'];
    return {
      text: printable(typeof shown === 'string' ? `${hostOf(name)} (${shown})` : hostOf(name)),
      kind: 'text',
      ...(typeof iss === 'string' ? { issuer: printable(hostOf(iss)) } : {}),
    };
  }

  const isTable = (value: Json, schema: Schema | undefined): boolean =>
    isObjects(value) || (Array.isArray(value) && value.length === 0 && schemas.isTable(schema));

  function listText(values: readonly Json[], schema: Schema | undefined): string {
    const item = schemas.itemOf(schema);
    return values
      .map((value) => elementText(value, item))
      .join(isObjects(values) && !isNamed(values[0]!) ? '; ' : ', ');
  }

  const isNamed = (value: Members): boolean => objectCell(value, undefined, '') !== undefined;

  function elementText(value: Json, schema: Schema | undefined): string {
    const cell = cellOf(value, schema, '');
    if (cell !== undefined) return cell.text;
    const leaves = leavesOf(value as Members, schema, true).filter(({ cell: { isBlank } }) => isBlank !== true);
    const told = leaves.filter(({ cell: { kind } }) => kind !== 'id');
    // The first member is what the element is about; it needs no name.
    return (told.length > 0 ? told : leaves)
      .map(({ path, cell: { text } }, at) => (at === 0 && told.length > 0 ? text : `${path.join(' ')} ${text}`))
      .join(' ');
  }

  function leavesOf(value: Members, schema: Schema | undefined, isRow: boolean, path: readonly string[] = []): Leaf[] {
    const properties = schemas.propertiesOf(schema);
    const names = [...Object.keys(properties).filter((name) => name in value), ...Object.keys(value)];
    return [...new Set(names)].flatMap((name): Leaf[] => {
      const member = value[name];
      if (!isRow && isTable(member, properties[name])) return [];
      const here = [...path, name];
      const cell = cellOf(member, properties[name], name);
      return cell === undefined
        ? leavesOf(member as Members, properties[name], isRow, here)
        : [{ path: here.map((part) => printable(part)), cell }];
    });
  }

  return { cellOf, leavesOf };
}
