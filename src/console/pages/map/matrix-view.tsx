import { Text, useComputedColorScheme, VisuallyHidden } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useCallback, useId, useLayoutEffect, useRef, useState } from 'react';
import { nameOf, shortNameOf } from '../../display/entity.js';
import { Name } from '../../display/name.js';
import { countText } from '../../display/numbers.js';
import type { Cell, Matrix } from './matrix.js';
import classes from './matrix-view.module.css';
import { paintMatrix, PALETTES, type Place, type Viewport } from './paint.js';
import type { CellKey, Zoom } from './search.js';
import { useCells } from './use-cells.js';
import { Said, saidText } from './words.js';

const CELL_PX: Readonly<Record<Zoom, number>> = { 1: 14, 2: 20, 3: 28 };
const HEAD_PX = 164;
const NAMES_PX = { narrow: 132, wide: 220 };

interface MatrixViewProps {
  readonly label: string;
  readonly matrix: Matrix;
  readonly zoom: Zoom;
  readonly open: CellKey | undefined;
  readonly groups: GroupWords;
  readonly onOpen: (cell: Cell) => void;
}

/** The word before the name of a group, and the one for rows that are in no group. */
export interface GroupWords {
  readonly of: string;
  readonly without: string;
}

/**
 * Draws the matrix on one canvas that stays in sight while the space behind it is scrolled. The focus is one cell, which arrow keys move; it is the
 * only one that stands in the page.
 */
export function MatrixView({ label, matrix, zoom, open, groups, onOpen }: MatrixViewProps) {
  const { lines, columns } = matrix;
  const scroller = useRef<HTMLDivElement>(null);
  const [view, setView] = useViewport(scroller);
  const names = useMediaQuery('(max-width: 48em)', undefined, { getInitialValueInEffect: false })
    ? NAMES_PX.narrow
    : NAMES_PX.wide;
  const px = CELL_PX[zoom];
  const seen: Viewport = {
    ...view,
    width: Math.max(0, view.width - names),
    height: Math.max(0, view.height - HEAD_PX),
  };
  const show = useCallback(
    ({ line, column }: Place): void => {
      const box = scroller.current!;
      const x = column * px;
      const y = line * px;
      const [width, height] = [box.clientWidth - names - px, box.clientHeight - HEAD_PX - px];
      box.scrollTo(
        Math.max(Math.min(box.scrollLeft, x), x - width),
        Math.max(Math.min(box.scrollTop, Math.max(0, y - px)), y - height),
      );
    },
    [px, names],
  );
  const { focus, hover, setHover, hasFocus, setHasFocus, opened, at, move, placeUnder, choose } = useCells({
    matrix,
    open,
    view,
    px,
    show,
    onOpen,
  });
  const said = at(hover ?? focus);
  const id = useId();
  const heard = at(focus);
  return (
    <>
      <Line said={hasFocus || hover !== undefined ? said : undefined} />
      <div
        ref={scroller}
        className={classes['scroller']}
        style={{ height: `min(${HEAD_PX + lines.length * px + 18}px, max(20rem, calc(100dvh - 17rem)))` }}
        onScroll={({ currentTarget: { scrollLeft: left, scrollTop: top } }) => setView({ left, top })}
      >
        <div style={{ width: names + columns.length * px, height: HEAD_PX + lines.length * px }}>
          <div className={classes['pinned']} style={{ width: view.width, height: view.height }}>
            <Heads
              matrix={matrix}
              view={seen}
              px={px}
              left={names}
              marked={(hover ?? (hasFocus ? focus : undefined))?.column}
            />
            <Names
              matrix={matrix}
              view={seen}
              px={px}
              width={names}
              groups={groups}
              marked={(hover ?? (hasFocus ? focus : undefined))?.line}
            />
            <div
              role="grid"
              aria-label={label}
              aria-rowcount={lines.length}
              aria-colcount={columns.length}
              aria-activedescendant={id}
              tabIndex={0}
              className={classes['cells']}
              style={{ left: names, top: HEAD_PX, width: seen.width, height: seen.height, cursor: 'pointer' }}
              onKeyDown={move}
              onFocus={() => setHasFocus(true)}
              onBlur={() => setHasFocus(false)}
              onPointerMove={(event) => setHover(placeUnder(event))}
              onPointerLeave={() => setHover(undefined)}
              onClick={choose}
            >
              <Drawing
                matrix={matrix}
                view={seen}
                px={px}
                focus={hasFocus ? focus : undefined}
                hover={hover}
                open={opened}
              />
              <VisuallyHidden role="row" aria-rowindex={focus.line + 1}>
                <span role="gridcell" id={id} aria-colindex={focus.column + 1}>
                  {heard && saidText(heard)}
                </span>
              </VisuallyHidden>
            </div>
          </div>
        </div>
      </div>
    </>
  );
}

/** Says which cell is meant, or how one is chosen. */
function Line({ said }: { readonly said: Parameters<typeof Said>[0] | undefined }) {
  return (
    <div style={{ minHeight: '2.6rem' }}>
      {said === undefined ? (
        <Text size="sm" c="dimmed">
          Point at a cell, or move with the arrow keys. Enter opens it.
        </Text>
      ) : (
        <Said {...said} />
      )}
    </div>
  );
}

type Corner = Pick<Viewport, 'left' | 'top'>;

/** Follows size and scroll of an element. */
function useViewport(of: React.RefObject<HTMLDivElement | null>): [Viewport, (corner: Corner) => void] {
  const [view, setView] = useState<Viewport>({ left: 0, top: 0, width: 0, height: 0 });
  useLayoutEffect(() => {
    const element = of.current!;
    const sized = new ResizeObserver(() =>
      setView((before) => ({ ...before, width: element.clientWidth, height: element.clientHeight })),
    );
    sized.observe(element);
    return () => sized.disconnect();
  }, [of]);
  const scroll = useCallback((corner: Corner) => setView((before) => ({ ...before, ...corner })), []);
  return [view, scroll];
}

interface DrawnProps {
  readonly matrix: Matrix;
  readonly view: Viewport;
  readonly px: number;
}

function Drawing({
  matrix,
  view,
  px,
  ...marks
}: DrawnProps & {
  readonly focus: Place | undefined;
  readonly hover: Place | undefined;
  readonly open: Place | undefined;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const scheme = useComputedColorScheme('light');
  useLayoutEffect(() => {
    const element = canvas.current!;
    const ratio = window.devicePixelRatio;
    const [width, height] = [Math.round(view.width * ratio), Math.round(view.height * ratio)];
    if (element.width !== width) element.width = width;
    if (element.height !== height) element.height = height;
    const context = element.getContext('2d')!;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    paintMatrix(context, matrix, view, px, PALETTES[scheme], marks);
  });
  return <canvas ref={canvas} aria-hidden style={{ width: view.width, height: view.height, pointerEvents: 'none' }} />;
}

function Heads({
  matrix: { columns },
  view: { left: scrolled, width },
  px,
  left,
  marked,
}: DrawnProps & { readonly left: number; readonly marked: number | undefined }) {
  const from = Math.floor(scrolled / px);
  return (
    <div className={classes['heads']} style={{ left, top: 0, width, height: HEAD_PX }}>
      {columns.slice(from, Math.ceil((scrolled + width) / px)).map(({ id, entity }, nth) => (
        <div
          key={id}
          className={`${classes['head']} ${from + nth === marked ? classes['marked'] : ''}`}
          style={{ left: (from + nth) * px - scrolled, width: px, height: HEAD_PX }}
        >
          <Name>{shortNameOf(entity)}</Name>
        </div>
      ))}
    </div>
  );
}

function Names({
  matrix: { lines },
  view: { top: scrolled, height },
  px,
  width,
  marked,
  groups,
}: DrawnProps & { readonly width: number; readonly marked: number | undefined; readonly groups: GroupWords }) {
  const from = Math.floor(scrolled / px);
  return (
    <div className={classes['names']} style={{ left: 0, top: HEAD_PX, width, height }}>
      {lines.slice(from, Math.ceil((scrolled + height) / px)).map((line, nth) => {
        const style = { top: (from + nth) * px - scrolled, height: px };
        if (line.kind === 'group')
          return (
            <div key={`group ${line.name}`} className={`${classes['name']} ${classes['group']}`} style={style}>
              <span>
                {line.name === null ? (
                  groups.without
                ) : (
                  <>
                    {groups.of} <Name>{line.name}</Name>
                  </>
                )}
              </span>
              <span>{countText(line.rows)}</span>
            </div>
          );
        return (
          <div
            key={line.row.id}
            className={`${classes['name']} ${from + nth === marked ? classes['marked'] : ''}`}
            style={style}
          >
            <span>
              <Name>{nameOf(line.row.entity)}</Name>
            </span>
            <Text span inherit c="dimmed">
              {countText(line.row.cells)}
            </Text>
          </div>
        );
      })}
    </div>
  );
}
