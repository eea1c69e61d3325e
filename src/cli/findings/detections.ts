import { Option, type Command } from 'commander';
import { pathOf, type Answer } from '../client.js';
import { jsonOption, urlOption, type Context } from '../context.js';
import { present } from '../option-values.js';
import { formatTable, localTime, printable } from '../output.js';
import { linesOf } from '../question/table.js';
import { UsageError } from '../terminal.js';

const EXAMPLES = `
Examples:
  rescind detections                                           what each looks for, and what it does by itself
  rescind detections show bulk-export
  rescind detections set token-from-two-networks               a dry run: new findings say which rule would be ordered
  rescind detections set token-from-two-networks --action block --users 1 --tokens 20 --per-hour 5
  rescind detections set token-from-two-networks --action off
`;

const WIDTH = 100;
const INDENT = '  ';

interface SetOptions {
  readonly action: string;
  readonly users?: string;
  readonly tokens?: string;
  readonly perHour?: string;
  readonly onBehalfOf?: string;
}

export function addDetections(program: Command, context: Context): void {
  const detections = program
    .command('detections')
    .description('list the detections, and set what each does with a finding by itself');
  detections.addHelpText('after', EXAMPLES);
  detections
    .command('list', { isDefault: true })
    .description('list the detections in the order of the catalogue (needs the role audit)')
    .addOption(urlOption())
    .addOption(jsonOption())
    .action(async (_options: object, command: Command) => {
      const client = await context.client(command);
      context.showText(command, await client.get(pathOf('detections')), (list) =>
        formatTable((list['items'] as readonly Answer[]).map(rowOf), ['kind', 'severity', 'action', 'cap', 'means']),
      );
    });
  detections
    .command('show <kind>')
    .description('show one detection: its threshold, what its findings mean, its action (needs the role audit)')
    .addOption(urlOption())
    .addOption(jsonOption())
    .action(async (kind: string, _options: object, command: Command) => {
      const client = await context.client(command);
      const items = (await client.get(pathOf('detections')))['items'] as readonly Answer[];
      const found = items.find((one) => one['kind'] === kind);
      if (found === undefined)
        throw new UsageError(`no detection ${kind}; there are ${items.map((one) => String(one['kind'])).join(', ')}`);
      context.showText(command, found, detectionText);
    });
  detections
    .command('set <kind>')
    .description('set what a detection does with each new finding by itself (needs the role admin)')
    .addOption(
      new Option('--action <action>', 'off, dry-run: say which rule would be ordered, or block: order it')
        .choices(['off', 'dry-run', 'block'])
        .default('dry-run'),
    )
    .option('--users <count>', 'the most users that a rule may hit (default 1)')
    .option('--tokens <count>', 'the most live tokens that a rule may hit (default 20)')
    .option('--per-hour <count>', 'the most rules in an hour (default 5)')
    .option('--on-behalf-of <person>', 'the person who decided')
    .addOption(urlOption())
    .addOption(jsonOption())
    .action(async (kind: string, options: SetOptions, command: Command) => {
      const client = await context.client(command);
      const { action, users, tokens, perHour, onBehalfOf } = options;
      const cap = present({
        users: whole('--users', users),
        tokens: whole('--tokens', tokens),
        per_hour: whole('--per-hour', perHour),
      });
      const body = present({ action, cap, on_behalf_of: onBehalfOf });
      context.showText(command, await client.put(pathOf('detections', kind), body), detectionText);
    });
}

function whole(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new UsageError(`${option} takes a whole number above 0, not ${text}`);
  return Number(text);
}

const rowOf = (one: Answer): Answer => ({ ...one, cap: one['action'] === 'off' ? '' : capText(one['cap'] as Answer) });

const capText = ({ users, tokens, per_hour: perHour }: Answer): string =>
  `${String(users)} users, ${String(tokens)} tokens, ${String(perHour)} an hour`;

function detectionText(detection: Answer): string {
  const { kind, severity, action, cap, means, next, looks, set_by: by, set_at: at, entry } = detection;
  const setting =
    at === null
      ? []
      : [
          ...(action === 'off' ? [] : [`cap       ${capText(cap as Answer)}`]),
          `set by    ${printable(authorText(by as Answer))}, ${localTime(String(at))}`,
          entry === null ? 'entry     not written yet: until then the action is off' : `entry     ${String(entry)}`,
        ];
  return [
    `kind      ${String(kind)}`,
    `severity  ${String(severity)}`,
    `action    ${String(action)}`,
    ...setting,
    '',
    ...paragraph('What its findings mean', means),
    ...paragraph('What to do next', next),
    ...paragraph('What it looks for', looks),
    '',
  ].join('\n');
}

const authorText = ({ caller, on_behalf_of: person }: Answer): string =>
  person === undefined ? String(caller) : `${String(caller)} for ${String(person)}`;

const paragraph = (title: string, text: unknown): readonly string[] => [
  title,
  ...linesOf(printable(String(text)), WIDTH).map((line) => `${INDENT}${line}`),
];
