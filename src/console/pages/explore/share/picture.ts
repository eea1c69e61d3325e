import type { EChartsType } from 'echarts/core';

/** Pixels of the picture for each of the page, so that it stays sharp in a document. */
const RATIO = 2;
const PADDING = 16;
const TITLE_PX = 16;
const NOTE_PX = 12;
const FONT = 'system-ui, sans-serif';
const LINE_PX = 18;
/** Lines between the title and the chart. */
const headPx = (notes: readonly string[]): number => PADDING + TITLE_PX + 8 + notes.length * LINE_PX + 8;

interface Words {
  readonly title: string;
  /** The window with its zone, and the conditions. */
  readonly notes: readonly string[];
  readonly isDark: boolean;
}

/** Draws a chart under its title, as a PNG. */
export async function pictureOf(chart: EChartsType, { title, notes, isDark }: Words): Promise<Blob> {
  const ground = isDark ? '#242424' : '#ffffff';
  const drawn = chart.renderToCanvas({ pixelRatio: RATIO, backgroundColor: ground });
  const canvas = document.createElement('canvas');
  canvas.width = drawn.width + 2 * PADDING * RATIO;
  canvas.height = drawn.height + (headPx(notes) + PADDING) * RATIO;
  const pen = canvas.getContext('2d')!;
  pen.fillStyle = ground;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  const width = drawn.width;
  const write = (text: string, size: number, weight: number, top: number, colour: string): void => {
    pen.font = `${weight} ${size * RATIO}px ${FONT}`;
    pen.fillStyle = colour;
    pen.textBaseline = 'top';
    pen.fillText(text, PADDING * RATIO, top * RATIO, width);
  };
  write(title, TITLE_PX, 600, PADDING, isDark ? '#f1f3f5' : '#212529');
  for (const [nth, note] of notes.entries())
    write(note, NOTE_PX, 400, PADDING + TITLE_PX + 8 + nth * LINE_PX, isDark ? '#adb5bd' : '#495057');
  pen.drawImage(drawn, PADDING * RATIO, headPx(notes) * RATIO);
  return new Promise((resolve, reject) =>
    canvas.toBlob(
      (blob) => (blob === null ? reject(new Error('the picture is too large')) : resolve(blob)),
      'image/png',
    ),
  );
}
