import { useEffect, useRef, useState, type KeyboardEvent, type MouseEvent, type PointerEvent } from 'react';
import type { Cell, Matrix } from './matrix.js';
import type { Place, Viewport } from './paint.js';
import { placeAfter, placeOf } from './places.js';
import type { CellKey } from './search.js';

interface CellsProps {
  readonly matrix: Matrix;
  readonly open: CellKey | undefined;
  readonly view: Viewport;
  readonly px: number;
  /** Scrolls a cell into sight. */
  readonly show: (place: Place) => void;
  readonly onOpen: (cell: Cell) => void;
}

/** Follows which cell has the focus, which lies under the pointer and which is open, and what keys and clicks do with them. */
export function useCells({ matrix, open, view, px, show, onOpen }: CellsProps) {
  const { lines, columns, cellAt } = matrix;
  const opened = open === undefined ? undefined : placeOf(matrix, ...(open.split('-').map(Number) as [number, number]));
  const [focused, setFocus] = useState<readonly [row: number, column: number]>();
  const [hover, setHover] = useState<Place>();
  const [hasFocus, setHasFocus] = useState(false);
  const first: Place = { line: lines.findIndex(({ kind }) => kind === 'row'), column: 0 };
  const focus = (focused && placeOf(matrix, ...focused)) ?? opened ?? first;
  const at = ({ line, column }: Place) => {
    const row = lines[line];
    const head = columns[column];
    if (row?.kind !== 'row' || head === undefined) return undefined;
    return { row: row.row.entity, resource: head.entity, cell: cellAt(row.row.id, head.id) };
  };
  // A link to an open cell shows it.
  const shownFirst = useRef(false);
  useEffect(() => {
    if (shownFirst.current || opened === undefined || view.height === 0) return;
    shownFirst.current = true;
    show(opened);
  }, [opened, view.height, show]);

  const move = (event: KeyboardEvent): void => {
    const found = at(focus);
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      if (found?.cell !== undefined) onOpen(found.cell);
      return;
    }
    const next = placeAfter(matrix, focus, event.key, event.ctrlKey || event.metaKey);
    const there = next && at(next);
    if (next === undefined || there === undefined) return;
    event.preventDefault();
    setHover(undefined);
    setFocus([there.row.is.entity, there.resource.is.entity]);
    show(next);
  };
  const placeUnder = ({ nativeEvent: { offsetX, offsetY } }: PointerEvent | MouseEvent): Place | undefined => {
    const place = { line: Math.floor((offsetY + view.top) / px), column: Math.floor((offsetX + view.left) / px) };
    return at(place) && place;
  };
  const choose = (event: MouseEvent): void => {
    const place = placeUnder(event);
    const found = place && at(place);
    if (found === undefined) return;
    setFocus([found.row.is.entity, found.resource.is.entity]);
    if (found.cell !== undefined) onOpen(found.cell);
  };
  return { focus, hover, setHover, hasFocus, setHasFocus, opened, at, move, placeUnder, choose };
}
