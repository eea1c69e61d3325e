import { Option, type Command } from 'commander';
import { pathOf, type Answer } from '../client.js';
import { jsonOption, urlOption, type Context } from '../context.js';
import { EXIT, exitCodesText } from '../exit-codes.js';
import { present } from '../option-values.js';
import {
  confirmOnTerminal,
  explainRefusal,
  liftedText,
  orderedText,
  previewText,
  readOrder,
  readSelection,
  selectorOptions,
  type OrderOptions,
  type SelectorOptions,
} from './revoke-order.js';
import { ruleTable, ruleText, unknownText } from './rule-text.js';

const EXAMPLES = `
Options combine: --client … --resource … stops that client at that resource alone.
See "rescind revoke order --help" for everything that can be named.
Without --effect a token, ID-JAG or session is revoked for ever; everything else is blocked until it is lifted.

On a terminal the command shows what the rule would hit and asks; --yes does not ask. A rule that hits a large share of all users or
live tokens needs --confirm with the number that the preview says.

Exit codes:
${exitCodesText()}
Examples:
  rescind revoke --user iss=https://idp.acme.example,sub=alice --reason "left the company"
  rescind revoke --client iss=https://idp.acme.example,client_id=agent-7 --resource https://api.chat.example/mcp --reason "compromised"
  rescind revoke --token iss=https://login.chat.example,jti=at-91c2 --reason "leaked"
  rescind revoke preview --issuer https://idp.acme.example
  rescind revoke list
  rescind revoke lift 5c1f0d0e-… --reason "cleared"
`;

export function addRevoke(program: Command, context: Context, setExitCode: (code: number) => void): void {
  const revoke = program
    .command('revoke')
    .description('stop tokens, users, clients and agents; preview, lift and list rules (needs the role revoke)');
  revoke.addHelpText('after', EXAMPLES);

  addSelection(
    revoke
      .command('order', { isDefault: true })
      .description('order a rule; returns when nobody answers active any more for anything that it selects'),
  )
    .requiredOption('--reason <text>', 'why; it is kept in the ledger')
    .option('--on-behalf-of <person>', 'the person who decided')
    .option('--confirm [number]', 'confirms --all, or a rule that hits many: the number that the preview says')
    .option('--yes', 'do not show the preview on a terminal, and do not ask')
    .option(
      '--idempotency-key <key>',
      'repeating the command with this key waits for the same rule, and orders no second one',
    )
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(async (options: OrderOptions, command: Command) => {
      const client = await context.client(command);
      const read = readOrder(options);
      const body = options.yes === true ? read : await confirmOnTerminal(context.terminal, client, read);
      if (body === undefined) {
        context.terminal.err.write('Nothing was ordered.\n');
        return setExitCode(EXIT.failed[0]);
      }
      const headers: Record<string, string> =
        options.idempotencyKey === undefined ? {} : { 'idempotency-key': options.idempotencyKey };
      const answer = await client.post(pathOf('revocations'), body, headers).catch((error: unknown) => {
        throw explainRefusal(error);
      });
      context.showText(command, answer, () => orderedText(body, answer));
      const unknown = unknownText(answer['unknown']);
      if (unknown === undefined) return;
      context.terminal.err.write(`rescind: the rule is in force, but ${unknown}\n`);
      setExitCode(EXIT.neverNamed[0]);
    });
  addSelection(revoke.command('preview').description('show what a rule would hit; orders nothing'))
    .addOption(urlOption())
    .addOption(jsonOption())
    .action(async (options: SelectorOptions, command: Command) => {
      const client = await context.client(command);
      const body = readSelection(options);
      const preview = await client.post(pathOf('revocations', 'preview'), body);
      const asked = preview['confirm'] as number | undefined;
      context.showText(
        command,
        preview,
        () =>
          `${previewText(body, preview)}${asked === undefined ? '' : `\nThis hits a large share: the order needs --confirm ${asked}.\n`}`,
      );
    });
  revoke
    .command('lift <id>')
    .description('lift a block; tokens that it stopped stay revoked, unless --resume')
    .option('--reason <text>', 'why; it is kept in the ledger')
    .option('--resume', 'make grants and tokens from before the block good again')
    .option('--on-behalf-of <person>', 'the person who decided')
    .addOption(urlOption())
    .addOption(jsonOption())
    .action(
      async (id: string, options: { reason?: string; resume?: boolean; onBehalfOf?: string }, command: Command) => {
        const client = await context.client(command);
        const body = present({ reason: options.reason, resume: options.resume, on_behalf_of: options.onBehalfOf });
        context.showText(command, await client.post(pathOf('revocations', id, 'lift'), body), liftedText);
      },
    );
  revoke
    .command('list')
    .description('list rules, newest first')
    .option('--limit <count>', 'rules on a page, at most 200')
    .option('--cursor <cursor>', '`next` of the page before')
    .addOption(urlOption())
    .addOption(jsonOption())
    .action(async (options: { limit?: string; cursor?: string }, command: Command) => {
      const client = await context.client(command);
      const page = await client.get(pathOf('revocations'), { limit: options.limit, cursor: options.cursor });
      context.showText(command, page, () => ruleTable(page['revocations'] as readonly Answer[]));
      if (page['next'] !== undefined && command.optsWithGlobals()['json'] !== true) {
        context.terminal.out.write(`more: rescind revoke list --cursor ${String(page['next'])}\n`);
      }
    });
  revoke
    .command('show <id>')
    .description('show one rule')
    .addOption(urlOption())
    .addOption(jsonOption())
    .action(async (id: string, _options: object, command: Command) => {
      const client = await context.client(command);
      context.showText(command, await client.get(pathOf('revocations', id)), ruleText);
    });
}

const addSelection = (command: Command): Command =>
  selectorOptions()
    .reduce((options, [flags, help]) => options.option(flags, help), command)
    .option('--selector <json>', 'the selector as the API takes it')
    .addOption(
      new Option('--effect <effect>', 'revoke, or block until lifted (default: see below)').choices([
        'revoke',
        'block',
      ]),
    )
    .option(
      '--before <time>',
      'revoke grants from before this time, such as 2026-12-01T09:00:00Z, or 2h for two hours ago (default: now); not for a token, an ID-JAG or a session',
    )
    .option(
      '--until <time>',
      'end of the block, such as 2026-12-24, or 8h for eight hours from now (default: until it is lifted)',
    )
    .option('--resume', 'after --until what was granted before is good again')
    .option('--reauthenticate', 'also revoke newer grants of an older sign-in');
