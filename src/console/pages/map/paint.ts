import type { Matrix } from './matrix.js';
import type { State } from './search.js';

/** Colours of the drawing, of the light or the dark scheme. */
export interface Palette {
  readonly used: string;
  readonly dormant: string;
  readonly granted: string;
  readonly denied: string;
  readonly grid: string;
  readonly band: string;
  readonly focus: string;
}

export const PALETTES: Readonly<Record<'light' | 'dark', Palette>> = {
  light: {
    used: '#2b62b5',
    dormant: '#7d9cc9',
    granted: '#8a929c',
    denied: '#c92a2a',
    grid: '#edf0f3',
    band: '#f4f6f9',
    focus: '#111418',
  },
  dark: {
    used: '#5c93e6',
    dormant: '#4d6c9c',
    granted: '#7d8590',
    denied: '#ff6b6b',
    grid: '#2b2e33',
    band: '#2a2d33',
    focus: '#ffffff',
  },
};

/** A place in the matrix: the number of a line and of a column. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface Viewport {
  /** Pixels that are scrolled away, and those in sight. */
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

interface Marks {
  readonly focus: Place | undefined;
  readonly hover: Place | undefined;
  readonly open: Place | undefined;
}

/** Draws the part of the matrix that is seen: cost goes by the size of the window, not by that of the organisation. */
export function paintMatrix(
  context: CanvasRenderingContext2D,
  { lines, columns, cellAt }: Matrix,
  { left, top, width, height }: Viewport,
  px: number,
  palette: Palette,
  marks: Marks,
): void {
  context.clearRect(0, 0, width, height);
  const firstLine = Math.floor(top / px);
  const lastLine = Math.min(lines.length, Math.ceil((top + height) / px));
  const firstColumn = Math.floor(left / px);
  const lastColumn = Math.min(columns.length, Math.ceil((left + width) / px));
  const right = Math.min(width, columns.length * px - left);
  const place = ({ line, column }: Place): readonly [number, number] => [column * px - left, line * px - top];
  context.fillStyle = palette.band;
  for (let line = firstLine; line < lastLine; line += 1)
    if (lines[line]!.kind === 'group') context.fillRect(0, line * px - top, right, px);
  if (marks.hover !== undefined) {
    const [x, y] = place(marks.hover);
    context.fillRect(0, y, right, px);
    context.fillRect(x, 0, px, Math.min(height, lines.length * px - top));
  }
  context.fillStyle = palette.grid;
  for (let line = firstLine; line <= lastLine; line += 1) context.fillRect(0, line * px - top - 1, right, 1);
  for (let column = firstColumn; column <= lastColumn; column += 1)
    context.fillRect(column * px - left - 1, 0, 1, Math.min(height, lines.length * px - top));
  for (let line = firstLine; line < lastLine; line += 1) {
    const shown = lines[line]!;
    if (shown.kind === 'group') continue;
    for (let column = firstColumn; column < lastColumn; column += 1) {
      const cell = cellAt(shown.row.id, columns[column]!.id);
      if (cell === undefined) continue;
      const [x, y] = place({ line, column });
      paintCell(context, x, y, px, cell.state, cell.denied > 0 && cell.state !== 'denied', palette);
    }
  }
  context.strokeStyle = palette.focus;
  context.lineWidth = 2;
  for (const mark of [marks.open, marks.focus]) {
    if (mark === undefined) continue;
    const [x, y] = place(mark);
    context.strokeRect(x, y, px - 1, px - 1);
  }
}

/** Each state has a form of its own, so that nobody needs to tell colours apart. */
export function paintCell(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  px: number,
  state: State,
  isPartlyDenied: boolean,
  palette: Palette,
): void {
  const gap = Math.max(2, Math.round(px / 7));
  const size = px - 2 * gap - 1;
  const [from, at] = [x + gap, y + gap];
  context.fillStyle = palette[state];
  context.strokeStyle = palette[state];
  context.lineWidth = 1.5;
  switch (state) {
    case 'used':
      context.fillRect(from, at, size, size);
      break;
    case 'dormant':
      paintStripes(context, from, at, size);
      break;
    case 'granted':
      context.strokeRect(from + 1, at + 1, size - 2, size - 2);
      break;
    case 'denied':
      context.lineWidth = 2;
      paintLine(context, from + 1, at + 1, from + size - 1, at + size - 1);
      paintLine(context, from + size - 1, at + 1, from + 1, at + size - 1);
  }
  if (isPartlyDenied) paintCorner(context, from + size + 1, at - 1, Math.max(4, Math.round(px / 3)), palette);
}

function paintLine(context: CanvasRenderingContext2D, x: number, y: number, toX: number, toY: number): void {
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(toX, toY);
  context.stroke();
}

function paintStripes(context: CanvasRenderingContext2D, x: number, y: number, size: number): void {
  context.save();
  context.beginPath();
  context.rect(x, y, size, size);
  context.clip();
  for (let offset = -size; offset < size; offset += 4) paintLine(context, x + offset, y + size, x + offset + size, y);
  context.restore();
  context.lineWidth = 1;
  context.strokeRect(x + 0.5, y + 0.5, size - 1, size - 1);
}

function paintCorner(context: CanvasRenderingContext2D, x: number, y: number, size: number, palette: Palette): void {
  context.fillStyle = palette.denied;
  context.beginPath();
  context.moveTo(x - size, y);
  context.lineTo(x, y);
  context.lineTo(x, y + size);
  context.fill();
}
