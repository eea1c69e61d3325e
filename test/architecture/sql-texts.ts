import { parseSync as parseTypeScript } from '@swc/core';
import { parseSync } from 'libpg-query';
import { filesUnder, read, sources } from './source-tree.js';

/** Hole in a text that is completed at run time: `{name}` in a `.sql` file, `${…}` in a template. */
const HOLE = /\{[a-z_]+(?: [a-z]+)*\}/g;
/** The name that a hole gets where it stands for a name. */
export const HOLE_NAME = 'hole';
/** Texts that a hole may stand for: a name or a condition, a query, nothing, a number, a further column, a condition before or after others. */
const FILLS = [
  ` ${HOLE_NAME} `,
  ' SELECT 1 ',
  '',
  '1',
  `, ${HOLE_NAME} `,
  ' true AND ',
  ' AND true ',
  ` ${HOLE_NAME} AS (SELECT 1), `,
];
/** A fragment is read inside the shortest statement that it can be a part of. */
const FRAMES = [
  '?',
  'SELECT 1 FROM ?',
  'SELECT 1 WHERE true ?',
  'SELECT 1 WHERE ?',
  'SELECT ?',
  'WITH ? SELECT 1',
  'WITH frame AS (SELECT 1) ? SELECT 1',
  'SELECT 1 FROM frame ?',
];

export interface SqlText {
  readonly file: string;
  readonly text: string;
}

/** A syntax tree as libpg-query gives it. */
export type Tree = Readonly<Record<string, unknown>>;

/** Every `.sql` file, and each text in TypeScript that names one of the tables after FROM, JOIN, UPDATE or INTO. */
export function sqlTexts(tables: ReadonlySet<string>): SqlText[] {
  const names = new RegExp(
    `\\b(?:FROM|JOIN|UPDATE|INTO|USING)\\s+(?:ONLY\\s+)?(?:[a-z_]+\\.)?(?:${[...tables].join('|')})\\b`,
  );
  const files = filesUnder('src')
    .filter((file) => file.endsWith('.sql'))
    .map((file) => ({ file, text: read(file) }));
  const inCode = sources().flatMap((file) => {
    const source = read(file);
    return names.test(source)
      ? textsIn(source)
          .filter((text) => names.test(text))
          .map((text) => ({ file, text }))
      : [];
  });
  return [...files, ...inCode];
}

/** Strings and templates of a TypeScript source; each `${…}` becomes the hole `{code}`. */
function textsIn(source: string): string[] {
  const found: string[] = [];
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) {
      for (const inner of node) visit(inner);
    } else if (typeof node === 'object' && node !== null) {
      const { type, value, quasis } = node as {
        type?: string;
        value?: string;
        quasis?: readonly { readonly cooked: string }[];
      };
      if (type === 'StringLiteral') found.push(value!);
      if (type === 'TemplateLiteral') found.push(quasis!.map(({ cooked }) => cooked).join('{code}'));
      for (const inner of Object.values(node)) visit(inner);
    }
  };
  visit(parseTypeScript(source, { syntax: 'typescript', decorators: true, target: 'es2022' }));
  return found;
}

/** Reads a text as PostgreSQL does, whatever its holes stand for; undefined if no filling of the holes makes a statement. */
export function parseSql(text: string): Tree[] | undefined {
  for (const frame of FRAMES) {
    const statements = fill(frame.replace('?', () => text));
    if (statements) return statements;
  }
  return undefined;
}

/** Fills the holes from the first to the last: a filling is right if the parser's complaint then comes after it. */
function fill(text: string): Tree[] | undefined {
  const hole = HOLE.exec(withoutComments(text));
  HOLE.lastIndex = 0;
  const parsed = parse(text);
  if (hole === null) return typeof parsed === 'number' ? undefined : parsed;
  const before = text.slice(0, hole.index);
  const after = text.slice(hole.index + hole[0].length);
  for (const filling of FILLS) {
    const filled = `${before}${filling}${after}`;
    const said = parse(filled);
    if (typeof said === 'number' && said < before.length + filling.length) continue;
    const whole = fill(filled);
    if (whole) return whole;
  }
  return undefined;
}

/** The statements, or where the parser stops understanding. */
function parse(text: string): Tree[] | number {
  try {
    return (parseSync(text).stmts ?? []).map(({ stmt }) => stmt as Tree);
  } catch (error) {
    const { sqlDetails } = error as { readonly sqlDetails?: { readonly cursorPosition: number } };
    if (sqlDetails === undefined) throw error;
    return sqlDetails.cursorPosition;
  }
}

/** Blanks comments, so that what they say is no hole; every character keeps its place. */
const withoutComments = (text: string): string => text.replaceAll(/--.*$/gm, (comment) => ' '.repeat(comment.length));
