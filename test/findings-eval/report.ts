import { DAYS } from './calendar.js';
import { groupBy } from './group-by.js';
import { rowsOf, type Verdict } from './judge.js';
import { GOAL } from './kinds.js';

const EXAMPLES = 5;
const WIDTHS = [26, 9, 6, 6, 9, 13, 10] as const;

const cells = (...texts: readonly string[]): string =>
  texts.map((text, nth) => (nth === 0 ? text.padEnd(WIDTHS[0]) : text.padStart(WIDTHS[nth]!))).join(' ');
const percent = (share: number): string => `${(share * 100).toFixed(0)} %`;
const timeOf = (at: number): string => new Date(at * 1000).toISOString().slice(0, 16).replace('T', ' ');

export interface Report {
  readonly text: string;
  readonly isMet: boolean;
}

/** Says for each kind how much was found, how late, and how much was found that is not there. Each verdict is of one seed; `examples` limits what is listed. */
export function reportOf(verdicts: readonly Verdict[], examples = EXAMPLES): Report {
  const days = verdicts.length * DAYS;
  const rows = rowsOf(verdicts);
  const lines = [cells('kind', 'incidents', 'found', 'share', 'findings', 'entries to it', 'false/day')];
  for (const { kind, incidents, found, findings, entriesToIt, falseOnes } of rows)
    lines.push(
      cells(
        kind,
        String(incidents),
        String(found),
        incidents === 0 ? '-' : percent(found / incidents),
        String(findings),
        entriesToIt === undefined ? '-' : String(entriesToIt),
        (falseOnes / days).toFixed(2),
      ),
    );
  const falseADay = rows.reduce((sum, { falseOnes }) => sum + falseOnes, 0) / days;
  const short = rows.filter(({ incidents, found }) => found < GOAL.share * incidents).map(({ kind }) => kind);
  lines.push(`false findings a day: ${falseADay.toFixed(2)}, at most ${GOAL.falseADay} wanted`);
  lines.push(
    short.length === 0
      ? `each kind was found to ${percent(GOAL.share)} at least`
      : `found to less than ${percent(GOAL.share)}: ${short.join(', ')}`,
  );
  lines.push(...missedOf(verdicts, examples), ...falseOf(verdicts, examples));
  return { text: lines.join('\n'), isMet: short.length === 0 && falseADay <= GOAL.falseADay };
}

/** So many examples at most, of as many kinds as there are. */
function examplesOf<T>(list: readonly T[], most: number, kindOf: (one: T) => string): T[] {
  const kinds = [...groupBy(list, kindOf).values()];
  const chosen: T[] = [];
  for (let round = 0; chosen.length < Math.min(most, list.length); round++)
    chosen.push(...kinds.flatMap((mine) => mine[round] ?? []).slice(0, most - chosen.length));
  return chosen;
}

function missedOf(verdicts: readonly Verdict[], most: number): string[] {
  const missed = verdicts.flatMap(({ incidents }) =>
    incidents.flatMap(({ incident, found }) => (found.length === 0 ? [incident] : [])),
  );
  if (missed.length === 0) return [];
  return [
    `missed: ${missed.length}, for example`,
    ...examplesOf(missed, most, ({ kind }) => kind).map(
      ({ kind, first, last, deed }) => `  ${kind}, ${timeOf(first)} to ${timeOf(last)}: ${deed}`,
    ),
  ];
}

function falseOf(verdicts: readonly Verdict[], most: number): string[] {
  const wrong = verdicts.flatMap(({ falseOnes }) => falseOnes);
  if (wrong.length === 0) return [];
  return [
    `false: ${wrong.length}, for example`,
    ...examplesOf(wrong, most, ({ kind }) => kind).map(
      ({ kind, first, last, says }) => `  ${kind}, ${timeOf(first)} to ${timeOf(last)}: ${says}`,
    ),
  ];
}
