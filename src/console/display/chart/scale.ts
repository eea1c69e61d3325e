const HOUR_MS = 3_600_000;
const HOURS = [1, 3, 6, 12];
const DAYS = [1, 2, 7, 14, 28];
/** Most lines across the bars, and most times beneath them. */
const MAX_LINES = 4;
const MAX_TIMES = 12;

/** The values at which lines lie: whole, round, and the last at or above `most`. */
export function linesTo(most: number): number[] {
  const rough = Math.max(1, most / MAX_LINES);
  const ten = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * ten).find((one) => one >= rough && Number.isInteger(one))!;
  return Array.from({ length: Math.max(1, Math.ceil(most / step)) }, (_, nth) => (nth + 1) * step);
}

/** Times between two moments, epoch milliseconds, at full hours or midnights of the browser's zone, with their texts. */
export function timesBetween(begin: number, end: number): { readonly at: number; readonly text: string }[] {
  const hours = HOURS.find((step) => (end - begin) / (step * HOUR_MS) <= MAX_TIMES);
  const days = DAYS.find((step) => (end - begin) / (step * 24 * HOUR_MS) <= MAX_TIMES) ?? DAYS.at(-1)!;
  const at = new Date(begin);
  at.setHours(0, 0, 0, 0);
  const times = [];
  while (at.getTime() < end) {
    if (at.getTime() >= begin) times.push({ at: at.getTime(), text: textOf(at) });
    if (hours === undefined) at.setDate(at.getDate() + days);
    else at.setHours(at.getHours() + hours);
  }
  return times;
}

const two = (number: number): string => String(number).padStart(2, '0');

/** Midnight is told by its day. */
const textOf = (at: Date): string =>
  at.getHours() === 0 ? `${two(at.getMonth() + 1)}-${two(at.getDate())}` : `${two(at.getHours())}:00`;
