import type { Matrix } from './matrix.js';
import type { Place } from './paint.js';

const PAGE_LINES = 10;

/** Finds where a key leads from a cell; undefined for a key that leads nowhere. Lines that name a group are stepped over. */
export function placeAfter({ lines, columns }: Matrix, from: Place, key: string, isWhole: boolean): Place | undefined {
  const last = { line: lines.length - 1, column: columns.length - 1 };
  const down = (steps: number): Place => ({ ...from, line: rowFrom(lines, from.line, steps) });
  const across = (column: number): Place => ({ ...from, column: Math.max(0, Math.min(last.column, column)) });
  switch (key) {
    case 'ArrowDown':
      return down(1);
    case 'ArrowUp':
      return down(-1);
    case 'PageDown':
      return down(PAGE_LINES);
    case 'PageUp':
      return down(-PAGE_LINES);
    case 'ArrowRight':
      return across(from.column + 1);
    case 'ArrowLeft':
      return across(from.column - 1);
    case 'Home':
      return isWhole ? { line: rowFrom(lines, -1, 1), column: 0 } : across(0);
    case 'End':
      return isWhole ? last : across(last.column);
    default:
      return undefined;
  }
}

/** Steps over rows, and stops at the first and the last one. */
function rowFrom(lines: Matrix['lines'], from: number, steps: number): number {
  const way = Math.sign(steps);
  let [at, left] = [from, Math.abs(steps)];
  for (let line = from + way; left > 0 && line >= 0 && line < lines.length; line += way) {
    if (lines[line]!.kind === 'group') continue;
    at = line;
    left -= 1;
  }
  return at;
}

/** Finds the place of a cell, or that of the first row. */
export function placeOf({ lines, columns }: Matrix, row: number, resource: number): Place | undefined {
  const line = lines.findIndex((one) => one.kind === 'row' && one.row.id === row);
  const column = columns.findIndex(({ id }) => id === resource);
  return line < 0 || column < 0 ? undefined : { line, column };
}
