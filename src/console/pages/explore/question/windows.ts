import type { Window } from './search.js';

/* Windows of time. A duration counts back from the moment of the question. */

const UNITS_S: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 };

/** The window of a question that states none, as the API has it. */
export const DEFAULT_FROM = '30d';

/** Windows that can be chosen. */
export const SPANS: readonly { readonly from: string; readonly label: string }[] = [
  { from: '24h', label: 'Last 24 hours' },
  { from: '2d', label: 'Last 2 days' },
  { from: '7d', label: 'Last 7 days' },
  { from: DEFAULT_FROM, label: 'Last 30 days' },
  { from: '90d', label: 'Last 90 days' },
];

const secondsOf = (text: string): number | undefined => {
  const [, count, unit] = /^(\d+)([smhdw])$/.exec(text) ?? [];
  return unit === undefined ? undefined : Number(count) * UNITS_S[unit]!;
};

function durationText(seconds: number): string {
  const unit = Object.keys(UNITS_S).findLast((one) => one !== 'w' && seconds % (UNITS_S[one] ?? 1) === 0) ?? 's';
  return `${seconds / UNITS_S[unit]!}${unit}`;
}

const timeText = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

/** The window of the same length that ends where the given one begins; undefined if the two ends are not of one kind. */
export function windowBefore({ from = DEFAULT_FROM, to }: Partial<Window>): Window | undefined {
  const [began, ended] = [secondsOf(from), to === undefined ? 0 : secondsOf(to)];
  if (began !== undefined && ended !== undefined)
    return began > ended ? { from: durationText(2 * began - ended), to: from } : undefined;
  const [fromMs, toMs] = [Date.parse(from), Date.parse(to ?? '')];
  return fromMs < toMs ? { from: timeText(2 * fromMs - toMs), to: timeText(fromMs) } : undefined;
}

export const isSame = (one: Partial<Window> | undefined, other: Partial<Window> | undefined): boolean =>
  one?.from === other?.from && one?.to === other?.to;

/** Says a window in words: `last 7 days`, or its ends. */
export function windowText({ from = DEFAULT_FROM, to }: Partial<Window>): string {
  if (to === undefined) {
    const span = SPANS.find((one) => one.from === from);
    return span === undefined ? `since ${endText(from)}` : span.label.toLowerCase();
  }
  return `${endText(from)} to ${endText(to)}`;
}

const endText = (text: string): string => (secondsOf(text) === undefined ? text : `${text} ago`);
