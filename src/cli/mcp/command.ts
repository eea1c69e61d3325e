import { Option, type Command } from 'commander';
import { contextOption, urlOption, type Context } from '../context.js';
import { UsageError } from '../terminal.js';

const HELP = `
An assistant starts the server itself and speaks to it on its standard input and output. Its configuration, in most of them:
  {"mcpServers": {"rescind": {"command": "rescind", "args": ["mcp", "--context", "production"]}}}

Its tools are the questions of \`rescind ask\` and the preview of a rule. It changes nothing, unless it is started with --allow-revoke.
With --http each client sends its own key as a bearer; the server itself has none. It answers on loopback alone.`;

export interface McpOptions {
  readonly allowRevoke?: boolean;
  readonly person?: string;
  readonly http?: number;
}

/** Adds `rescind mcp`. The SDK is loaded when the command runs, so that no other command waits for it. */
export function addMcp(program: Command, context: Context): void {
  program
    .command('mcp')
    .description('let an assistant ask: a server of the Model Context Protocol whose tools are the questions')
    .option('--allow-revoke', 'also order and lift rules (needs a key with the role revoke, and --person)')
    .option(
      '--person <name>',
      'the person in whose name rules are ordered, kept in the ledger (default: RESCIND_PERSON)',
    )
    .addOption(
      new Option(
        '--http <port>',
        'speak streamable HTTP on this port of 127.0.0.1, at /mcp (0: any free port)',
      ).argParser(readPort),
    )
    .addOption(urlOption())
    .addOption(contextOption())
    .addHelpText('after', HELP)
    .action(async (options: McpOptions, command: Command) => {
      const { serveMcp } = await import('./serve.js');
      await serveMcp(context, command, { port: options.http, person: personOf(context, options) });
    });
}

function readPort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new UsageError('--http is the number of a port');
  return port;
}

/** The person is needed for orders alone. A name without `--allow-revoke` allows nothing. */
function personOf(
  { terminal }: Context,
  { allowRevoke, person = terminal.env['RESCIND_PERSON'] }: McpOptions,
): string | undefined {
  if (allowRevoke !== true) return undefined;
  if (person === undefined || person.trim() === '')
    throw new UsageError('--allow-revoke needs --person (or RESCIND_PERSON): the ledger keeps who decided');
  return person.trim();
}
