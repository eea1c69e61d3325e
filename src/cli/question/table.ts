import { BLANK, type Cell, type Leaf } from './cells.js';

/** Characters between two columns. */
const GAP = 2;
/** A column is not made narrower than this before others are left out, nor ever narrower than the second. */
const READABLE = 12;
const NARROWEST = 8;
/** So many columns stay, however narrow. */
const FEWEST = 4;

interface Column {
  readonly name: string;
  readonly title: string;
  readonly cells: readonly Cell[];
  readonly texts: readonly string[];
  readonly isNumber: boolean;
  readonly isTime: boolean;
  readonly isId: boolean;
  /** With the title in one line, and with the title broken between words. */
  readonly width: number;
  readonly narrow: number;
}

export interface TableText {
  readonly text: string;
  /** Sentences about what the table does not show. */
  readonly notes: readonly string[];
}

/** Formats rows as a table of at most `width` characters. The first time stands first, ids stand last, empty columns are left out. */
export function tableOf(rows: readonly (readonly Leaf[])[], width: number): TableText {
  const all = columnsOf(rows);
  const { columns, same, leftOut } = fit(all, rows.length, width);
  const widths = shrink(columns, width);
  const titles = columns.map(({ title }, at) => linesOf(title, widths[at]!));
  const height = Math.max(0, ...titles.map((lines) => lines.length));
  const line = (texts: readonly string[]): string =>
    `${texts
      .map((text, at) => place(cut(text, widths[at]!), widths[at]!, columns[at]!.isNumber))
      .join(' '.repeat(GAP))
      .trimEnd()}\n`;
  const isCut = columns.some(({ narrow }, at) => narrow > widths[at]!);
  const text = [
    ...Array.from({ length: height }, (_, at) => line(titles.map((lines) => lines[at - height + lines.length] ?? ''))),
    ...rows.map((_, row) => line(columns.map(({ texts }) => texts[row]!))),
    ...(same.length === 0 ? [] : [`\n${linesOf(`The same in every row: ${same.join(', ')}`, width).join('\n')}\n`]),
  ].join('');
  const notes = [
    ...(leftOut.length === 0 ? [] : [`Left out for lack of room: ${leftOut.join(', ')}.`]),
    ...(isCut ? ['`…` stands for the rest of a value.'] : []),
  ];
  return { text, notes };
}

function columnsOf(rows: readonly (readonly Leaf[])[]): Column[] {
  const found = new Map<string, Map<number, Cell>>();
  rows.forEach((leaves, row) => {
    for (const { path, cell } of leaves) {
      const name = path.join(' ');
      const cells = found.get(name) ?? new Map<number, Cell>();
      found.set(name, cells.set(row, cell));
    }
  });
  const columns = [...found]
    .map(([name, cells]) =>
      columnOf(
        name,
        rows.map((_, row) => cells.get(row) ?? BLANK),
      ),
    )
    .filter(({ cells }) => cells.some(({ isBlank }) => isBlank !== true));
  const first = columns.find(({ isTime }) => isTime);
  const rank = (column: Column): number => (column === first ? 0 : column.isId ? 2 : 1);
  return columns.sort((one, other) => rank(one) - rank(other));
}

function columnOf(name: string, cells: readonly Cell[]): Column {
  const filled = cells.filter(({ isBlank }) => isBlank !== true);
  const isTime = filled.length > 0 && filled.every(({ kind }) => kind === 'time');
  const offsets = new Set(filled.map(({ time }) => time?.offset));
  // The zone stands in the title if one is right for all; a change of the clocks in between shows it in every row.
  const zone = isTime && offsets.size === 1 ? [...offsets][0] : undefined;
  const issuers = issuersOf(filled);
  const texts = cells.map(({ text, time, issuer }) => {
    if (zone !== undefined && time !== undefined) return time.clock;
    return issuer !== undefined && issuers.get(text)!.size > 1 ? `${text} @ ${issuer}` : text;
  });
  const title = `${name.toUpperCase().replaceAll('_', ' ')}${zone === undefined ? '' : ` ${zone}`}`;
  return {
    name: name.replaceAll('_', ' '),
    title,
    cells,
    texts,
    isTime,
    isNumber: filled.every(({ kind }) => kind === 'number'),
    isId: filled.some(({ kind }) => kind === 'id'),
    width: Math.max(title.length, ...texts.map((text) => text.length)),
    narrow: Math.max(...title.split(' ').map((word) => word.length), ...texts.map((text) => text.length)),
  };
}

function issuersOf(cells: readonly Cell[]): ReadonlyMap<string, ReadonlySet<string>> {
  const issuers = new Map<string, Set<string>>();
  for (const { text, issuer } of cells)
    if (issuer !== undefined) issuers.set(text, (issuers.get(text) ?? new Set()).add(issuer));
  return issuers;
}

const sum = (widths: readonly number[]): number =>
  widths.reduce((total, width) => total + width, 0) + GAP * Math.max(0, widths.length - 1);
/** Ids, times and numbers are of no use in part. */
const least = (column: Column, narrowest: number): number =>
  column.isId || column.isTime || column.isNumber ? column.narrow : Math.min(column.narrow, narrowest);

interface Fitting {
  readonly columns: readonly Column[];
  readonly same: readonly string[];
  readonly leftOut: readonly string[];
}

/** Chooses the columns that have room: first those that say the same in every row leave, then ids, then those that are mostly blank, then the last ones. */
function fit(all: readonly Column[], rows: number, width: number): Fitting {
  let columns = all;
  const same: string[] = [];
  const isSame = (column: Column): boolean => rows > 1 && column.texts.every((text) => text === column.texts[0]);
  for (const column of all.toReversed()) {
    if (sum(columns.map((one) => one.width)) <= width) break;
    if (!isSame(column)) continue;
    columns = columns.filter((one) => one !== column);
    same.unshift(`${column.name} ${column.texts[0]}`);
  }
  const leftOut: string[] = [];
  const leave = (column: Column | undefined): void => {
    columns = columns.filter((one) => one !== column);
    if (column !== undefined) leftOut.unshift(column.name);
  };
  const fits = (narrowest: number): boolean => sum(columns.map((column) => least(column, narrowest))) <= width;
  while (!fits(READABLE) && columns.some(({ isId }) => isId)) leave(columns.findLast(({ isId }) => isId));
  const mostlyBlank = (column: Column): boolean =>
    column.cells.filter(({ isBlank }) => isBlank === true).length * 2 > column.cells.length;
  while (!fits(READABLE) && columns.length > FEWEST) leave(columns.findLast(mostlyBlank) ?? columns.at(-1));
  while (!fits(NARROWEST) && columns.length > 1) leave(columns.at(-1));
  return { columns, same, leftOut };
}

/** Takes room from titles, then from the widest columns, until all fit. */
function shrink(columns: readonly Column[], width: number): readonly number[] {
  const widths = columns.map((column) => column.width);
  for (const narrowest of [columns.map(({ narrow }) => narrow), columns.map((column) => least(column, NARROWEST))]) {
    while (sum(widths) > width) {
      const widest = widths.reduce(
        (best, own, at) => (own > narrowest[at]! && (best < 0 || own > widths[best]!) ? at : best),
        -1,
      );
      if (widest < 0) break;
      widths[widest]! -= 1;
    }
  }
  return widths;
}

/** Breaks a text between words into lines of at most so many characters, unless a word is longer. */
export function linesOf(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.trim().split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

const cut = (text: string, width: number): string => (text.length <= width ? text : `${text.slice(0, width - 1)}…`);
const place = (text: string, width: number, isNumber: boolean): string =>
  isNumber ? text.padStart(width) : text.padEnd(width);
