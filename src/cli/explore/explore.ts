import { Option, type Command } from 'commander';
import { parseTime, timeText } from '../../contracts/index.js';
import { csvLine } from '../../platform/csv/index.js';
import type { Answer } from '../client.js';
import { contextOption, urlOption, type Context } from '../context.js';
import { collect, present } from '../option-values.js';
import { formatTable, printable } from '../output.js';
import { UsageError, write } from '../terminal.js';
import { readConditions, WHERE_HELP } from './where.js';

const FORMATS = ['table', 'json', 'csv'] as const;
const DEFAULT_DAYS = 30;
const DAY_MS = 86_400_000;

interface ExploreOptions {
  readonly by?: string;
  readonly measure?: string;
  readonly where?: readonly string[];
  readonly from?: string;
  readonly to?: string;
  readonly asOf?: string;
  readonly compare?: string;
  readonly top?: string;
  readonly output: (typeof FORMATS)[number];
}

const EXAMPLE = `
Who exported most in the last week, and from where:
  rescind explore --by user,resource --measure calls,records --where operation=export --from 7d --top 10
What grew most against the week before:
  rescind explore --by client --from 7d --compare 7d`;

/** Adds `rescind explore`: any question over uses. */
export function addExplore(program: Command, context: Context): void {
  program
    .command('explore')
    .description('ask anything about who accessed what: grouped, filtered, compared (needs the role audit)')
    .option(
      '--by <names>',
      'groups, separated by commas, such as user,resource; a name that is unknown is answered with all that there are',
    )
    .option('--measure <names>', 'measures, separated by commas, such as calls,records,users (default: calls)')
    .option('--where <condition>', WHERE_HELP, collect)
    .option('--from <time>', `the earliest use: a time, a date, or 7d (default: ${DEFAULT_DAYS}d)`)
    .option('--to <time>', 'the time before which uses began (default: now)')
    .option('--as-of <moment>', 'an index of the ledger, or a time: what was known then')
    .option(
      '--compare <length>',
      'compare with the window of this length before, such as 7d; what grew most comes first',
    )
    .option('--top <n>', 'groups in the answer (default: 20, at most 1000)')
    .addOption(new Option('-o, --output <format>', 'how to write the answer').choices(FORMATS).default('table'))
    .addOption(urlOption())
    .addOption(contextOption())
    .addHelpText('after', EXAMPLE)
    .action(async (options: ExploreOptions, command: Command) => {
      const question = questionOf(options, Date.now());
      const client = await context.client(command);
      const answer = await client.post('/v1/explore', question);
      const { out, err } = context.terminal;
      if (options.output === 'json') return write(out, `${JSON.stringify(answer)}\n`);
      const rows = rowsOf(answer as unknown as ExploreAnswer);
      const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
      if (options.output === 'table') {
        await write(out, formatTable(rows, columns));
        err.write(noteOf(answer as unknown as ExploreAnswer));
        return;
      }
      await write(out, csvLine(columns));
      for (const row of rows)
        await write(out, csvLine(columns.map((column) => (row[column] ?? null) as string | number | null)));
    });
}

const words = (text: string | undefined): readonly string[] | undefined =>
  text?.split(',').filter((word) => word !== '');

function questionOf(options: ExploreOptions, nowMs: number): object {
  const limit = options.top === undefined ? undefined : Number(options.top);
  if (limit !== undefined && !Number.isInteger(limit)) throw new UsageError(`--top is a number: ${options.top}`);
  return present({
    by: words(options.by),
    measures: words(options.measure),
    filter: readConditions(options.where ?? []),
    from: options.from,
    to: options.to,
    as_of: options.asOf,
    compare: options.compare === undefined ? undefined : windowBefore(options, nowMs),
    limit,
  });
}

/** Returns the window that ends where the question's begins. */
function windowBefore({ from, compare }: ExploreOptions, nowMs: number): object {
  const length = parseTime(compare);
  if (length === undefined || !('agoMs' in length))
    throw new UsageError(`--compare is a length of time, such as 7d: ${compare}`);
  const asked = from === undefined ? { agoMs: DEFAULT_DAYS * DAY_MS } : parseTime(from);
  if (asked === undefined) throw new UsageError(`--from is a time, such as 7d or 2026-11-24: ${from}`);
  const end = Math.floor(('atMs' in asked ? asked.atMs : nowMs - asked.agoMs) / 1_000);
  return { from: timeText(end - length.agoMs / 1_000), to: timeText(end) };
}

type Values = Readonly<Record<string, string | number | null>>;
interface ExploreAnswer {
  readonly as_of: { readonly index: string; readonly at: string };
  readonly groups: number;
  readonly items: readonly {
    readonly group: Readonly<Record<string, unknown>>;
    readonly values: Values;
    readonly before?: Values;
    readonly delta?: Values;
    readonly ratio?: Values;
  }[];
  readonly read: { readonly segments: number; readonly archived: number; readonly tail: number; readonly ms: number };
}

/** Flattens groups to rows: the names, the measures, and what they were before. */
function rowsOf({ items }: ExploreAnswer): Answer[] {
  const named = (values: Values | undefined, how: string): [string, unknown][] =>
    Object.entries(values ?? {}).map(([name, value]) => [`${name}_${how}`, shown(value)]);
  return items.map(({ group, values, before, delta, ratio }) =>
    Object.fromEntries([
      ...Object.entries(group).map(([name, value]) => [name, nameOf(value)]),
      ...Object.entries(values),
      ...named(before, 'before'),
      ...named(delta, 'delta'),
      ...named(ratio, 'ratio'),
    ]),
  );
}

const shown = (value: string | number | null): string | number | null =>
  typeof value === 'number' && !Number.isInteger(value) ? Number(value.toFixed(2)) : value;

const NAMES = ['sub', 'client_id', 'uri', 'name', 'id'] as const;

/** Shows a name in one cell, with the directory's name where there is one. */
function nameOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const members = value as Readonly<Record<string, unknown>>;
  const name = NAMES.map((member) => members[member]).find((found) => typeof found === 'string');
  const display = members['display_name'];
  return typeof display === 'string' ? `${String(name)} (${display})` : name;
}

function noteOf({ as_of: { index, at }, items, groups, read }: ExploreAnswer): string {
  const more = groups > items.length ? `${items.length} of ${groups} groups (--top shows more). ` : '';
  return printable(
    `${more}As of index ${index}, ${at}; read ${(read.archived + read.tail).toLocaleString('en')} uses in ${read.ms} ms.`,
  ).concat('\n');
}
