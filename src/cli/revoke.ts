import { Option, type Command } from 'commander';
import { pathOf, type Answer } from './client.js';
import { jsonOption, urlOption, type Context } from './context.js';
import { present, readJson, readMembers, readSeconds } from './option-values.js';

interface OrderOptions {
  readonly selector?: string;
  readonly user?: string;
  readonly client?: string;
  readonly agent?: string;
  readonly agentType?: string;
  readonly session?: string;
  readonly token?: string;
  readonly idJag?: string;
  readonly resource?: string;
  readonly issuer?: string;
  readonly all?: boolean;
  readonly reason: string;
  readonly effect?: string;
  readonly before?: string;
  readonly until?: string;
  readonly reauthenticate?: boolean;
  readonly onBehalfOf?: string;
  readonly confirm?: boolean;
  readonly idempotencyKey?: string;
}

const EXAMPLES = `
Options combine: --client … --resource … stops that client at that resource alone.
See "rescind revoke order --help" for everything that can be named.
Without --effect a token, ID-JAG or session is revoked for ever; everything else is blocked until it is lifted.

Examples:
  rescind revoke --user iss=https://idp.acme.example,sub=alice --reason "left the company"
  rescind revoke --client iss=https://idp.acme.example,client_id=agent-7 --resource https://api.chat.example/mcp --reason "compromised"
  rescind revoke --token iss=https://login.chat.example,jti=at-91c2 --reason "leaked"
  rescind revoke list
  rescind revoke lift 5c1f0d0e-… --reason "cleared"
`;

export function addRevoke(program: Command, context: Context): void {
  const revoke = program.command('revoke').description('stop tokens, users, clients and agents; lift and list rules (needs the role revoke)');
  revoke.addHelpText('after', EXAMPLES);

  revoke
    .command('order', { isDefault: true })
    .description('order a rule; returns when nobody answers active any more for anything that it selects')
    .option('--user <members>', 'iss=…,sub=… and, if the issuer has tenants, tenant=…')
    .option('--client <members>', 'iss=…,client_id=…')
    .option('--agent <members>', 'iss=…,id=…')
    .option('--agent-type <type>', 'agents of this type')
    .option('--session <members>', 'iss=…,sid=…')
    .option('--token <members>', 'iss=…,jti=… or sha256=…')
    .option('--id-jag <members>', 'iss=…,jti=… or sha256=…')
    .option('--resource <url>', 'a resource identifier')
    .option('--issuer <url>', 'an issuer anywhere in the lineage')
    .option('--all', 'everything; needs the role admin and --confirm')
    .option('--selector <json>', 'the selector as the API takes it')
    .requiredOption('--reason <text>', 'why; it is kept in the ledger')
    .addOption(new Option('--effect <effect>', 'revoke, or block until lifted (default: see below)').choices(['revoke', 'block']))
    .option('--before <time>', 'revoke grants from before this time (default: now); not for a token, an ID-JAG or a session')
    .option('--until <time>', 'end of the block (default: until it is lifted)')
    .option('--reauthenticate', 'also revoke newer grants of an older sign-in')
    .option('--on-behalf-of <person>', 'the person who decided')
    .option('--confirm', 'confirms --all')
    .option('--idempotency-key <key>', 'repeating the command with this key waits for the same rule, and orders no second one')
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(async (options: OrderOptions, command: Command) => {
      const client = await context.client(command);
      const headers: Record<string, string> = options.idempotencyKey === undefined ? {} : { 'idempotency-key': options.idempotencyKey };
      context.show(command, await client.post(pathOf('revocations'), readOrder(options), headers));
    });
  revoke
    .command('lift <id>')
    .description('lift a block; tokens that it stopped stay revoked, unless --resume')
    .option('--reason <text>', 'why; it is kept in the ledger')
    .option('--resume', 'make grants and tokens from before the block good again')
    .option('--on-behalf-of <person>', 'the person who decided')
    .addOption(urlOption())
    .addOption(jsonOption())
    .action(async (id: string, options: { reason?: string; resume?: boolean; onBehalfOf?: string }, command: Command) => {
      const client = await context.client(command);
      const body = present({ reason: options.reason, resume: options.resume, on_behalf_of: options.onBehalfOf });
      context.show(command, await client.post(pathOf('revocations', id, 'lift'), body));
    });
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
      const rules = (page['revocations'] as readonly Answer[]).map((rule) => ({ ...rule, at: timeOf(rule['at']) }));
      context.showTable(command, { ...page, revocations: rules }, 'revocations', ['id', 'at', 'state', 'effect', 'selector', 'reason']);
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
      context.show(command, await client.get(pathOf('revocations', id)));
    });
}

function readOrder(options: OrderOptions): Readonly<Record<string, unknown>> {
  const members = (text: string | undefined) => (text === undefined ? undefined : readMembers(text));
  const selector = {
    ...(options.selector === undefined ? {} : (readJson('--selector', options.selector) as object)),
    ...present({
      user: members(options.user),
      client: members(options.client),
      agent: members(options.agent),
      agent_type: options.agentType,
      session: members(options.session),
      token: members(options.token),
      id_jag: members(options.idJag),
      resource: options.resource,
      issuer: options.issuer,
      all: options.all,
    }),
  };
  return present({
    selector,
    reason: options.reason,
    effect: options.effect,
    before: readSeconds('--before', options.before),
    until: readSeconds('--until', options.until),
    reauthenticate: options.reauthenticate,
    on_behalf_of: options.onBehalfOf,
    confirm: options.confirm,
  });
}

const timeOf = (seconds: unknown): unknown => (typeof seconds === 'number' ? new Date(seconds * 1000).toISOString().replace('.000Z', 'Z') : seconds);
