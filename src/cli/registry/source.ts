import { Option, type Command } from 'commander';
import { eventsSaidBy, PARTIES, TOKEN_PROFILE_PRESETS, type Party } from '../../contracts/index.js';
import { pathOf } from '../client.js';
import { jsonOption, urlOption, type Context } from '../context.js';
import { collect, present, readInput, readJson } from '../option-values.js';
import { formatSourceCheck } from './source-check.js';
import { UsageError, type Terminal } from '../terminal.js';

interface SourceOptions {
  readonly file?: string;
  readonly uri?: string;
  readonly as?: readonly string[];
  readonly type?: readonly string[];
  readonly issuer?: readonly string[];
  readonly resource?: readonly string[];
  readonly jwks?: string;
  readonly jwksUri?: string;
  readonly topic?: string;
  readonly profile?: string;
  readonly signature?: string;
  readonly enable?: boolean;
}

const EXAMPLES = `
Examples:
  rescind source create idp --uri https://idp.acme.example --as idp --issuer https://idp.acme.example --jwks-uri https://idp.acme.example/jwks
  rescind source create chat --uri https://chat.example --as authorization-server --as resource-server \\
    --issuer https://login.chat.example --resource https://api.chat.example/mcp --jwks keys.json
  rescind source create crm --uri urn:crm --as authorization-server --issuer https://sso.acme.example/realms/crm --resource crm-api \
    --jwks-uri https://sso.acme.example/realms/crm/protocol/openid-connect/certs --profile keycloak
  rescind source create chat --file chat.json
`;

export function addSource(program: Command, context: Context): void {
  const source = program
    .command('source')
    .description(
      'manage the producers of events: identity providers, authorization servers, resource servers (needs the role admin)',
    );

  described(source.command('create <name>'))
    .description('register a source and create its topic, rescind.events.<name>')
    .option('--uri <uri>', 'the CloudEvents `source` of its events')
    .addHelpText('after', EXAMPLES)
    .action(async (name: string, options: SourceOptions, command: Command) => {
      const client = await context.client(command);
      const body = await readSource(options, context.terminal);
      context.show(command, await client.post(pathOf('sources'), { name, ...present({ uri: options.uri }), ...body }));
    });
  described(source.command('update <name>'))
    .description(
      'replace the settings of a source, except its name and URI; returns when the old settings are out of use',
    )
    .option('--enable', 'enable a disabled source again')
    .action(async (name: string, options: SourceOptions, command: Command) => {
      const client = await context.client(command);
      const body = await readSource(options, context.terminal);
      context.show(
        command,
        await client.put(pathOf('sources', name), { ...body, ...(options.enable ? { disabled: false } : {}) }),
      );
    });
  source
    .command('disable <name>')
    .description('accept no more events from a source, and no longer trust its keys')
    .addOption(urlOption())
    .addOption(jsonOption())
    .action(async (name: string, _options: object, command: Command) => {
      const client = await context.client(command);
      context.show(command, await client.post(pathOf('sources', name, 'disable')));
    });
  source
    .command('list')
    .description('list the sources of the tenant')
    .addOption(urlOption())
    .addOption(jsonOption())
    .action(async (_options: object, command: Command) => {
      const client = await context.client(command);
      context.showTable(command, await client.get(pathOf('sources')), 'sources', [
        'name',
        'uri',
        'topic',
        'disabled',
        'issuers',
        'resources',
      ]);
    });
  source
    .command('show <name>')
    .description('show one source, by name or id')
    .addOption(urlOption())
    .addOption(jsonOption())
    .action(async (name: string, _options: object, command: Command) => {
      const client = await context.client(command);
      context.show(command, await client.get(pathOf('sources', name)));
    });
  source
    .command('check <name>')
    .description(
      'show which events of a source arrived, which were refused, and what to do next (needs the role admin or audit, or emit for this source)',
    )
    .addOption(urlOption())
    .addOption(jsonOption())
    .action(async (name: string, _options: object, command: Command) => {
      const client = await context.client(command);
      context.showText(command, await client.get(pathOf('sources', name, 'check')), formatSourceCheck);
    });
}

const described = (command: Command): Command =>
  command
    .option('--file <path>', 'read the members from a JSON file (- is the standard input); other options add to it')
    .addOption(
      new Option(
        '--as <party>',
        `kind of source, which selects the event types it usually sends: ${PARTIES.join(', ')}; may be repeated`,
      ).argParser(collect),
    )
    .option('--type <name>', 'one event type, such as token.issued; may be repeated', collect)
    .option('--issuer <url>', 'an issuer that it may speak for; may be repeated', collect)
    .option('--resource <url>', 'a resource identifier that it may speak for; may be repeated', collect)
    .addOption(
      new Option('--signature <when>', 'whether it must sign its events; needs its keys').choices([
        'required',
        'optional',
      ]),
    )
    .option('--jwks <path>', 'file with its public keys, a JWK set')
    .option(
      '--jwks-uri <url>',
      'URL of its public keys: https, or http at a loopback host that JWKS_ALLOWED_HOSTS of the service names',
    )
    .option('--topic <name>', 'a topic that it shares with other sources')
    .option(
      '--profile <preset or json>',
      `token profile: ${TOKEN_PROFILE_PRESETS.join(', ')}, or JSON such as '{"preset":"hydra","skew":30}'`,
    )
    .addOption(urlOption())
    .addOption(jsonOption());

/** Reads a JSON object, or the name of a preset, which stands for `{"preset": name}`. */
const readProfile = (text: string): unknown =>
  text.trimStart().startsWith('{') ? readJson('--profile', text) : { preset: text };

function readParty(text: string): Party {
  const party = PARTIES.find((one) => one === text);
  if (party === undefined) throw new UsageError(`--as is one of ${PARTIES.join(', ')}, not ${text}`);
  return party;
}

async function readSource(options: SourceOptions, terminal: Terminal): Promise<Readonly<Record<string, unknown>>> {
  const file =
    options.file === undefined ? {} : (readJson(options.file, await readInput(options.file, terminal)) as object);
  const types = [...(options.as ?? []).flatMap((party) => eventsSaidBy(readParty(party))), ...(options.type ?? [])];
  return {
    ...file,
    ...present({
      types: types.length > 0 ? types : undefined,
      issuers: options.issuer,
      resources: options.resource,
      jwks: options.jwks === undefined ? undefined : readJson(options.jwks, await readInput(options.jwks, terminal)),
      jwks_uri: options.jwksUri,
      topic: options.topic,
      signature: options.signature,
      profile: options.profile === undefined ? undefined : readProfile(options.profile),
    }),
  };
}
