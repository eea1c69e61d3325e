import type { Schema } from './document.js';
import type { Schemas } from './schema.js';

/** Lists that stand for a whole answer, the first that there is. */
const MAIN = ['items', 'edges'] as const;
/** Members beside the only list of an answer that is nothing but a list. */
const BESIDE: ReadonlySet<string> = new Set(['as_of', 'next']);

/** Names the member of an answer whose items are written as lines; undefined if the answer is one thing. */
export function listOf(schemas: Schemas, answer: Schema | undefined): string | undefined {
  const properties = schemas.propertiesOf(answer);
  const lists = Object.keys(properties).filter((name) => schemas.isTable(properties[name]));
  const others = Object.keys(properties).filter((name) => !lists.includes(name) && !BESIDE.has(name));
  return (
    MAIN.find((name) => lists.includes(name)) ?? (lists.length === 1 && others.length === 0 ? lists[0] : undefined)
  );
}

/** Lists the columns of an item, `user.sub`, by its schema, so that every page and every answer has the same ones. */
export function columnsOf(schemas: Schemas, item: Schema | undefined, path: readonly string[] = []): string[] {
  return Object.entries(schemas.propertiesOf(item)).flatMap(([name, schema]) => {
    const here = [...path, name];
    const isNested =
      schemas.itemOf(schema) === undefined && Object.keys(schemas.propertiesOf(schema)).length > 0 && here.length < 5;
    return isNested ? columnsOf(schemas, schema, here) : [here.join('.')];
  });
}

/** Reads the value of a column. A list of words is written with spaces, any other structure as JSON. */
export function valueAt(row: unknown, column: string): string | number | null {
  let value = row;
  for (const name of column.split('.'))
    value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
  if (value === null || value === undefined) return null;
  if (typeof value === 'number' || typeof value === 'string') return value;
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.join(' ');
  return typeof value === 'boolean' ? String(value) : JSON.stringify(value);
}
