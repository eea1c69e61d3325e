import { Option, type Command } from 'commander';
import { pathOf } from '../client.js';
import { jsonOption, urlOption, type Context } from '../context.js';
import { collect, present, readJson, readMembers, readMoment } from '../option-values.js';

interface RoleOptions {
  readonly roles?: string;
  readonly emit?: readonly string[];
  readonly introspect?: readonly string[];
  readonly accept?: readonly string[];
  readonly wait?: boolean;
  readonly revokeOwn?: readonly string[];
  readonly revoke?: boolean;
  readonly audit?: boolean;
  readonly auditWithoutPayloads?: boolean;
  readonly admin?: boolean;
  readonly expiresAt?: string;
  readonly enable?: boolean;
}

const EXAMPLES = `
Examples:
  rescind caller create chat-events --emit chat
  rescind caller create chat-api --introspect https://api.chat.example/mcp --accept https://login.chat.example
  rescind caller create chat-client --revoke-own iss=https://login.chat.example,client_id=wiki-at-chat
  rescind caller create analyst --revoke --audit
  rescind caller create helpdesk --audit-without-payloads
  rescind caller create night-shift --roles '{"revoke":{"issuers":["https://idp.acme.example"],"resources":[]}}'
`;

export function addCaller(program: Command, context: Context): void {
  const caller = program
    .command('caller')
    .description("manage the clients of Rescind's own API, with their roles and secrets (needs the role admin)");

  withRoles(caller.command('create <id>'))
    .description('register a caller; its secret is shown once')
    .option('--expires-at <time>', 'time when the secret expires: RFC 3339, a date, or a duration from now such as 30d')
    .addHelpText('after', EXAMPLES)
    .action(async (id: string, options: RoleOptions, command: Command) => {
      const client = await context.client(command);
      const body = present({
        id,
        roles: readRoles(options),
        expires_at: readMoment('--expires-at', options.expiresAt, 'after'),
      });
      context.show(command, await client.post(pathOf('callers'), body));
    });
  withRoles(caller.command('update <id>'))
    .description('replace the roles of a caller; returns when the old ones are out of use')
    .option('--enable', 'take a disabled caller back')
    .action(async (id: string, options: RoleOptions, command: Command) => {
      const client = await context.client(command);
      const body = { roles: readRoles(options), ...(options.enable ? { disabled: false } : {}) };
      context.show(command, await client.put(pathOf('callers', id), body));
    });
  caller
    .command('disable <id>')
    .description('refuse every request of a caller from now on')
    .addOption(urlOption())
    .addOption(jsonOption())
    .action(async (id: string, _options: object, command: Command) => {
      const client = await context.client(command);
      context.show(command, await client.post(pathOf('callers', id, 'disable')));
    });
  caller
    .command('add-secret <id>')
    .description('add a second secret for a rotation; it is shown once')
    .option('--expires-at <time>', 'time when it expires: RFC 3339, a date, or a duration from now such as 30d')
    .addOption(urlOption())
    .addOption(jsonOption())
    .action(async (id: string, options: { expiresAt?: string }, command: Command) => {
      const client = await context.client(command);
      const body = present({ expires_at: readMoment('--expires-at', options.expiresAt, 'after') });
      context.show(command, await client.post(pathOf('callers', id, 'secrets'), body));
    });
  caller
    .command('remove-secret <id> <secret-id>')
    .description('remove a secret, by the id that `show` lists; returns when nobody accepts it any more')
    .addOption(urlOption())
    .addOption(jsonOption())
    .action(async (id: string, secretId: string, _options: object, command: Command) => {
      const client = await context.client(command);
      context.show(command, await client.delete(pathOf('callers', id, 'secrets', secretId)));
    });
  caller
    .command('list')
    .description('list the callers of the tenant')
    .addOption(urlOption())
    .addOption(jsonOption())
    .action(async (_options: object, command: Command) => {
      const client = await context.client(command);
      context.showTable(command, await client.get(pathOf('callers')), 'callers', ['id', 'disabled', 'roles']);
    });
  caller
    .command('show <id>')
    .description('show one caller')
    .addOption(urlOption())
    .addOption(jsonOption())
    .action(async (id: string, _options: object, command: Command) => {
      const client = await context.client(command);
      context.show(command, await client.get(pathOf('callers', id)));
    });
}

const withRoles = (command: Command): Command =>
  command
    .option('--emit <source>', 'may send the events of this source; may be repeated', collect)
    .option(
      '--introspect <resource>',
      'may ask about tokens for this resource identifier; may be repeated; needs --accept',
      collect,
    )
    .option('--accept <issuer>', 'with --introspect: an issuer whose tokens it may ask about; may be repeated', collect)
    .option('--wait', 'wait for opaque tokens whose event has not arrived yet')
    .option('--revoke-own <pair>', 'may revoke tokens of iss=…,client_id=… (RFC 7009); may be repeated', collect)
    .option('--revoke', 'may order revocations for the whole tenant')
    .option('--audit', 'may read everything of the tenant')
    .addOption(
      new Option(
        '--audit-without-payloads',
        'may read everything of the tenant but payloads, addresses and networks of clients, and exports',
      ).conflicts('audit'),
    )
    .option('--admin', 'may change sources and callers')
    .option('--roles <json>', 'the roles as the API takes them; other options add to them')
    .addOption(urlOption())
    .addOption(jsonOption());

function readRoles(options: RoleOptions): Readonly<Record<string, unknown>> {
  const introspects = options.introspect !== undefined || options.accept !== undefined;
  return {
    ...(options.roles === undefined ? {} : (readJson('--roles', options.roles) as object)),
    ...present({
      emit: options.emit && { sources: options.emit },
      introspect: introspects
        ? present({ resources: options.introspect ?? [], issuers: options.accept ?? [], wait: options.wait })
        : undefined,
      'revoke-own': options.revokeOwn && { clients: options.revokeOwn.map(readMembers) },
      revoke: options.revoke ? { tenant: true } : undefined,
      audit: options.audit ? {} : options.auditWithoutPayloads ? { payloads: false } : undefined,
      admin: options.admin ? {} : undefined,
    }),
  };
}
