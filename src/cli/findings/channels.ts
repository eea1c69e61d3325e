import { Option, type Command } from 'commander';
import { pathOf, type Answer } from '../client.js';
import { jsonOption, urlOption, type Context } from '../context.js';
import { present, readInput } from '../option-values.js';
import { formatRecord, printable } from '../output.js';
import { UsageError } from '../terminal.js';

const EXAMPLES = `
The address of a receiver is a secret: it is read from standard input or a file, never from the command line.

Examples:
  echo https://hooks.slack.com/services/… | rescind channels set team --kind slack --address-from - --severity high
  rescind channels set soc --kind webhook --address-from address.txt
  rescind channels set pager --kind pagerduty --routing-key-from key.txt --severity high --news opened,reopened,resolved
  rescind channels set team --kind slack --severity medium      keeps the address
  echo syslog-tls://siem.example:6514 | rescind channels set siem --kind syslog --address-from - --format ocsf
  rescind channels set payroll --kind slack --address-from - --tags sensitive
  rescind channels try team
  rescind channels deliveries soc --state dead
  rescind channels replay soc --state dead
`;

interface SetOptions {
  readonly kind: string;
  readonly addressFrom?: string;
  readonly routingKeyFrom?: string;
  readonly format?: string;
  readonly severity?: string;
  readonly kinds?: string;
  readonly news?: string;
  readonly tags?: string;
  readonly disable?: boolean;
}

export function addChannels(program: Command, context: Context): void {
  const channels = program
    .command('channels')
    .description('push findings to webhooks, Slack, Microsoft Teams, PagerDuty and syslog (needs the role admin)')
    .addHelpText('after', EXAMPLES);
  const options = (command: Command): Command => command.addOption(urlOption()).addOption(jsonOption());

  options(channels.command('list', { isDefault: true }).description('list the channels')).action(
    async (_options: object, command: Command) => {
      const client = await context.client(command);
      context.showTable(command, await client.get(pathOf('channels')), 'channels', [
        'name',
        'kind',
        'target',
        'enabled',
        'severity',
        'waiting',
        'dead',
      ]);
    },
  );
  options(channels.command('show <name>').description('show one channel')).action(
    async (name: string, _options: object, command: Command) => {
      const client = await context.client(command);
      context.show(command, await client.get(pathOf('channels', name)));
    },
  );
  options(
    channels
      .command('set <name>')
      .description('create a channel, or replace its filters; a new webhook shows its secret, once')
      .addOption(new Option('--kind <kind>', 'webhook, slack, teams, pagerduty, syslog').makeOptionMandatory())
      .option('--address-from <file>', 'file with the address (- is the standard input); left out: as it is')
      .option('--routing-key-from <file>', 'file with the integration key of PagerDuty')
      .option('--format <format>', 'json or ocsf, for webhook and syslog')
      .option('--severity <severity>', 'only findings of this severity or a higher one')
      .option('--kinds <kinds>', 'only findings of these kinds, separated by commas')
      .option(
        '--news <news>',
        'only opened, grown, reopened, resolved, state-changed, rule-ordered or rule-held-back, separated by commas',
      )
      .option(
        '--tags <tags>',
        'only findings about whom or what the directory gives one of these tags, separated by commas',
      )
      .option('--disable', 'keep the channel, and send nothing'),
  ).action(async (name: string, given: SetOptions, command: Command) => {
    const body = present({
      kind: given.kind,
      address: await readSecret(given.addressFrom, context),
      routing_key: await readSecret(given.routingKeyFrom, context),
      format: given.format,
      severity: given.severity,
      kinds: given.kinds?.split(','),
      news: given.news?.split(','),
      tags: given.tags?.split(','),
      enabled: given.disable === true ? false : undefined,
    });
    const client = await context.client(command);
    context.show(command, await client.put(pathOf('channels', name), body));
  });
  options(channels.command('remove <name>').description('remove a channel and its deliveries')).action(
    async (name: string, _options: object, command: Command) => {
      const client = await context.client(command);
      context.show(command, await client.delete(pathOf('channels', name)));
    },
  );
  options(
    channels.command('try <name>').description('send a test finding, and show the answer of the receiver'),
  ).action(async (name: string, _options: object, command: Command) => {
    const client = await context.client(command);
    context.showText(command, await client.post(pathOf('channels', name, 'try')), triedText);
  });
  addDeliveries(channels, context, options);
}

function addDeliveries(channels: Command, context: Context, options: (command: Command) => Command): void {
  options(
    channels
      .command('deliveries <name>')
      .description('list the deliveries of a channel, the newest first')
      .option('--state <state>', 'waiting, delivered or dead')
      .option('--limit <count>', 'deliveries on a page, at most 100')
      .option('--cursor <cursor>', '`next` of the page before'),
  ).action(
    async (
      name: string,
      given: Readonly<Record<'state' | 'limit' | 'cursor', string | undefined>>,
      command: Command,
    ) => {
      const client = await context.client(command);
      const { state, limit, cursor } = given;
      context.showTable(
        command,
        await client.get(pathOf('channels', name, 'deliveries'), { state, limit, cursor }),
        'items',
        ['id', 'type', 'at', 'state', 'attempts', 'next_at', 'status', 'problem', 'finding'],
      );
    },
  );
  options(
    channels
      .command('replay <name>')
      .description('send deliveries again: one by its id, or all in a state')
      .option('--delivery <id>', 'id of a delivery')
      .option('--state <state>', 'waiting, delivered or dead'),
  ).action(async (name: string, given: { delivery?: string; state?: string }, command: Command) => {
    const client = await context.client(command);
    const body = present({ delivery: given.delivery, state: given.state });
    context.show(command, await client.post(pathOf('channels', name, 'replay'), body));
  });
  options(
    channels
      .command('rotate <name>')
      .description('make another secret for a webhook, and show it once')
      .option('--keep <seconds>', 'for how long the old secret signs too (default 86400)'),
  ).action(async (name: string, { keep }: { keep?: string }, command: Command) => {
    if (keep !== undefined && !/^\d{1,9}$/.test(keep)) throw new UsageError('--keep is a number of seconds');
    const client = await context.client(command);
    const body = present({ keep_seconds: keep === undefined ? undefined : Number(keep) });
    context.show(command, await client.post(pathOf('channels', name, 'rotate'), body));
  });
}

/** Reads a secret from a file or the standard input: an argument would show in the list of processes. */
async function readSecret(file: string | undefined, context: Context): Promise<string | undefined> {
  return file === undefined ? undefined : (await readInput(file, context.terminal)).trim();
}

function triedText(tried: Answer): string {
  const { answer, ...rest } = tried;
  return `${formatRecord(rest)}${answer === '' ? '' : `\nThe receiver answered:\n${printable(String(answer))}\n`}`;
}
