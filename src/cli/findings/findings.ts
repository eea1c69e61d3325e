import { Option, type Command } from 'commander';
import { pathOf, type Answer } from '../client.js';
import { jsonOption, urlOption, type Context } from '../context.js';
import { linesOf } from '../question/table.js';
import { localTime, printable } from '../output.js';
import { addFindingChanges, saidText } from './change.js';

interface ListOptions {
  readonly state: string;
  readonly severity?: string;
  readonly kind?: string;
  readonly user?: string;
  readonly client?: string;
  readonly agent?: string;
  readonly resource?: string;
  readonly source?: string;
  readonly tag?: string;
  readonly from?: string;
  readonly to?: string;
  readonly asOf?: string;
  readonly limit?: string;
  readonly cursor?: string;
}

const EXAMPLES = `
Examples:
  rescind findings                          what is wrong and open, the newest first
  rescind findings --severity high --from 24h
  rescind findings --state all --kind bulk-export,refusals
  rescind findings --tag sensitive          about whom or what the directory tags so
  rescind findings show 5c1f0d0e-…          one finding with its evidence
  rescind findings acknowledge 5c1f0d0e-… --reason "Dana looks at it"
  rescind findings --as-of 7d               what was wrong and open a week ago
  rescind findings mute 5c1f0d0e-… --until 7d --reason "a scanner" --same client
  rescind findings history 5c1f0d0e-…       what people said of it
`;

const AS_OF = 'an index of the ledger, or a time: what the detections knew then';
const WIDTH = 100;
const INDENT = '  ';

export function addFindings(program: Command, context: Context): void {
  const findings = program
    .command('findings')
    .description('list what the detections found, each with the command that stops it (needs the role audit)');
  findings.addHelpText('after', EXAMPLES);
  findings
    .command('list', { isDefault: true })
    .description('list findings, the newest evidence first')
    .addOption(
      new Option(
        '--state <states>',
        'all, or states separated by commas: open, acknowledged, resolved, false-alarm, muted',
      ).default('open'),
    )
    .option('--severity <severity>', 'of this severity or a higher one: info, low, medium, high, critical')
    .option('--kind <kinds>', 'of these kinds, separated by commas')
    .option('--user <entity>', 'about this user: its id, from another answer')
    .option('--client <entity>', 'about this client')
    .option('--agent <entity>', 'about this agent')
    .option('--resource <resource>', 'about this resource: its id or URI')
    .option('--source <source>', 'about this source: its name or id')
    .option(
      '--tag <tags>',
      'about a user, client, agent or resource with one of these tags in the directory, separated by commas',
    )
    .option('--from <time>', 'with evidence of this time or later: RFC 3339, a date, or a duration back from now')
    .option('--to <time>', 'with evidence before this time, in the same forms')
    .option('--as-of <moment>', AS_OF)
    .option('--limit <count>', 'findings on a page, at most 100')
    .option('--cursor <cursor>', '`next` of the page before')
    .addOption(urlOption())
    .addOption(jsonOption())
    .action(async ({ state, ...options }: ListOptions, command: Command) => {
      const client = await context.client(command);
      const page = await client.get(pathOf('findings'), {
        ...filterOf(options),
        ...(state === 'all' ? {} : { state }),
      });
      context.showText(command, page, pageText);
    });
  findings
    .command('show <id>')
    .description('show one finding: what it means, what to do next, the entries that show it')
    .option('--as-of <moment>', AS_OF)
    .addOption(urlOption())
    .addOption(jsonOption())
    .action(async (id: string, { asOf }: Pick<ListOptions, 'asOf'>, command: Command) => {
      const client = await context.client(command);
      context.showText(command, await client.get(pathOf('findings', id), { as_of: asOf }), findingText);
    });
  addFindingChanges(findings, context);
}

/** Leaves out the options that are not filters. */
const filterOf = ({
  severity,
  kind,
  user,
  client,
  agent,
  resource,
  source,
  tag,
  from,
  to,
  asOf,
  limit,
  cursor,
}: Omit<ListOptions, 'state'>) => ({
  severity,
  kind,
  user,
  client,
  agent,
  resource,
  source,
  tag,
  from,
  to,
  as_of: asOf,
  limit,
  cursor,
});

function pageText(page: Answer): string {
  const items = page['items'] as readonly Answer[];
  if (items.length === 0) return 'Nothing was found.\n';
  const more = page['next'] === undefined ? '' : `\nmore: --cursor ${String(page['next'])}\n`;
  return `${items.map(summaryText).join('\n')}${more}`;
}

/** Formats a finding in a few lines: how bad, since when, what, and how to stop it. */
export function summaryText(finding: Answer): string {
  const { severity, state, kind, count, last_seen: last, id } = finding;
  const stop = finding['stop'] as Answer | null;
  const action = finding['action'] as Answer | null;
  return [
    `${String(severity).toUpperCase().padEnd(8)}  ${localTime(String(last))}  ${kindText(String(kind), Number(count))}${state === 'open' ? '' : `  ${String(state)}`}`,
    ...paragraph(finding['says']),
    ...saidText(finding).map((line) => `${INDENT}${line}`),
    ...(action === null ? [] : paragraph(action['says'])),
    ...(stop === null ? [] : [`${INDENT}stop: ${printable(String(stop['command']))}`]),
    `${INDENT}more: rescind findings show ${String(id)}`,
    '',
  ].join('\n');
}

function findingText(finding: Answer): string {
  const { means, next, see, first_seen: first, found_at: found, closed_at: closed, entries } = finding;
  return [
    summaryText(finding).trimEnd(),
    '',
    'What it means',
    ...paragraph(means),
    'What to do next',
    ...paragraph(next),
    'Evidence',
    `${INDENT}first    ${localTime(String(first))}`,
    `${INDENT}found    ${localTime(String(found))}`,
    ...(closed === null ? [] : [`${INDENT}ended    ${localTime(String(closed))}`]),
    `${INDENT}see      GET ${printable(String(see))}`,
    `${INDENT}entries  ${(entries as readonly string[]).join(', ')}`,
    '',
  ].join('\n');
}

const kindText = (kind: string, count: number): string => `${kind}, ${count === 1 ? 'once' : `${count} times`}`;
const paragraph = (text: unknown): readonly string[] =>
  linesOf(printable(String(text)), WIDTH).map((line) => `${INDENT}${line}`);
