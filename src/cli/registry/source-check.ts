import type { Answer } from '../client.js';
import { formatTable, printable } from '../output.js';

interface Step {
  readonly code: string;
  readonly says: string;
}

interface Checked {
  readonly source: { readonly name: string };
  readonly uri: string;
  readonly disabled: boolean;
  readonly next_steps: readonly Step[];
  readonly keys: { readonly from: string; readonly usable: number | null };
  readonly partitions: readonly Answer[] | null;
  readonly types: readonly Answer[];
  readonly clock: {
    readonly verdict: string;
    readonly delay: { readonly least: number; readonly mean: number; readonly most: number };
  } | null;
  readonly events: readonly Answer[];
  readonly refused: readonly Answer[];
  readonly inactive: readonly Answer[];
}

/** Formats the check of a source for the person who connects it: first what to do next, then the facts behind that advice. */
export function formatSourceCheck(answer: Answer): string {
  const { source, uri, disabled, next_steps, keys, partitions, types, clock, events, refused, inactive } =
    answer as unknown as Checked;
  const heading = (title: string): string => `\n${title}\n`;
  return [
    `${printable(source.name)}${disabled ? ' (disabled)' : ''}  ${printable(uri)}\n`,
    heading('What to do next'),
    ...next_steps.map(({ says }, nth) => `  ${nth + 1}. ${wrapped(printable(says), '     ')}\n`),
    heading('Arrived, by type'),
    indented(
      formatTable(
        types.map(({ type, events: count, last, registered }) => ({
          type,
          events: count,
          last_index: last,
          registered: registered === true ? 'yes' : 'no',
        })),
        ['type', 'events', 'last_index', 'registered'],
      ),
    ),
    heading(`Last events (${events.length})`),
    indented(formatTable(events.map(eventRow), ['index', 'type', 'at', 'after', 'about'])),
    heading(`Last refusals (${refused.length})`),
    indented(formatTable(refused.map(refusalRow), ['id', 'at', 'code', 'came_by', 'detail'])),
    heading(`Tokens that are recorded and not active, by reason (${inactive.length})`),
    indented(formatTable(inactive.map(inactiveRow), ['reason', 'member', 'asked', 'last', 'token'])),
    heading('Around it'),
    `  keys        ${keysOf(keys)}\n`,
    `  clock       ${clock === null ? 'nothing came since yesterday' : `${clock.verdict}; events came ${span(clock.delay.least)} to ${span(clock.delay.most)} after their own time, ${span(clock.delay.mean)} on average`}\n`,
    ...(partitions ?? []).map((row) => `  partition   ${partitionOf(row)}\n`),
    ...(partitions === null
      ? ['  partitions  not known here: this process reads no Kafka, or the broker does not answer\n']
      : []),
  ].join('');
}

const WIDTH = 100;

/** Breaks a text between words into lines of about {@link WIDTH} characters. Every line but the first is indented. */
function wrapped(text: string, indent: string): string {
  const lines: string[] = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!;
    if (line !== '' && line.length + word.length >= WIDTH) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.join(`\n${indent}`);
}

const indented = (text: string): string => text.replaceAll(/^(?=.)/gm, '  ');

const eventRow = ({ index, type, at, delay_ms, subject }: Answer): Answer => ({
  index,
  type,
  at,
  after: delay_ms === null ? null : span(delay_ms as number),
  about: aboutOf(subject),
});

const refusalRow = ({ id, at, code, detail, caller, position }: Answer): Answer => {
  const { topic, partition, offset } = (position ?? {}) as Answer;
  return {
    id,
    at,
    code,
    detail,
    came_by:
      position === null ? `HTTP, ${String(caller)}` : `${String(topic)}/${String(partition)} at ${String(offset)}`,
  };
};

const inactiveRow = ({ reason, member, count, last, token }: Answer): Answer => ({
  reason,
  member,
  asked: `${String(count)}×`,
  last,
  token,
});

const aboutOf = (subject: unknown): string =>
  subject === null
    ? 'erased'
    : Object.entries(subject as Answer)
        .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
        .join(' ');

function keysOf({ from, usable }: Checked['keys']): string {
  if (from === 'none') return 'none registered';
  return `${from === 'inline' ? 'registered with it' : 'by jwks_uri'}, ${usable === null ? 'not looked at here' : `${usable} usable`}`;
}

const partitionOf = ({ partition, next_offset, stopped, lag }: Answer): string =>
  `${String(partition)}, stored up to offset ${String(next_offset)}, ${lag === null ? 'lag not known' : `${String(lag)} behind`}${stopped === null ? '' : `, STOPPED: ${printable(String(stopped))}`}`;

/** Formats milliseconds for people. */
function span(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (Math.abs(seconds) < 120) return `${Math.round(seconds * 10) / 10} s`;
  if (Math.abs(seconds) < 2 * 3_600) return `${Math.round(seconds / 60)} min`;
  return Math.abs(seconds) < 2 * 86_400 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} days`;
}
