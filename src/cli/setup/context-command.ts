import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import type { Command } from 'commander';
import { jsonOption, type Context } from '../context.js';
import { formatTable } from '../output.js';
import { checkContextName, contextNamed, contextsPath, readContexts, writeContexts } from '../saved-contexts.js';
import { keyedUrl } from '../settings.js';
import { readAll, UsageError, type Terminal } from '../terminal.js';

const HELP = `
A context is a service and the key for it, under a name. Commands use the context of --context, else of RESCIND_CONTEXT, else, unless --url, RESCIND_URL,
RESCIND_KEY or RESCIND_HOME says otherwise, the one of \`rescind context use\`. Its key goes to its URL and nowhere else.
The key is read from RESCIND_KEY or from the standard input, never from an option, which other users of the machine could see.
The contexts lie in $XDG_CONFIG_HOME/rescind/contexts.json, or in ~/.config/rescind/contexts.json. Only their owner may read the file.

Examples:
  rescind context add prod --url https://rescind.example.com      asks for the key
  pass show rescind/prod | rescind context add prod --url https://rescind.example.com
  rescind context use prod
  rescind revoke list --context staging
`;
/** A key has 48 characters; whatever is longer is no key. */
const MAX_KEY_LENGTH = 512;

export function addContext(program: Command, context: Context): void {
  const { terminal } = context;
  const { env, out } = terminal;
  const commands = program
    .command('context')
    .description('name the services that you speak to, each with its key')
    .addHelpText('after', HELP);
  commands
    .command('add <name>')
    .description('remember a service and the key for it; an existing context of this name is replaced')
    .requiredOption('--url <url>', 'the running service')
    .action(async (name: string, { url }: { url: string }) => {
      checkContextName(name);
      const saved = { url: keyedUrl(url), key: await readContextKey(terminal) };
      const { current, contexts } = await readContexts(env);
      await writeContexts(env, { current, contexts: { ...contexts, [name]: saved } });
      out.write(`${name} is ${saved.url}; its key lies in ${contextsPath(env)}\n`);
      if (current !== name) out.write(`Use it: rescind context use ${name}\n`);
    });
  commands
    .command('use [name]')
    .description('choose the context that commands use if nothing else names a service')
    .option('--none', 'use no context: the service that runs in RESCIND_HOME')
    .action(async (name: string | undefined, { none }: { none?: boolean }) => {
      if ((name === undefined) === (none === undefined)) throw new UsageError('name a context, or give --none');
      const saved = await readContexts(env);
      if (name !== undefined) contextNamed(env, saved, name);
      await writeContexts(env, { ...saved, current: name });
      out.write(name === undefined ? 'No context is in use.\n' : `${name} is in use: ${saved.contexts[name]!.url}\n`);
    });
  commands
    .command('list')
    .description('list the contexts; keys are not shown')
    .addOption(jsonOption())
    .action(async (_options: object, command: Command) => {
      const { current, contexts } = await readContexts(env);
      const rows = Object.entries(contexts).map(([name, { url }]) => ({ name, url, in_use: name === current }));
      context.showText(command, { contexts: rows }, () =>
        formatTable(
          rows.map((row) => ({ ...row, in_use: row.in_use ? 'yes' : undefined })),
          ['name', 'url', 'in_use'],
        ),
      );
    });
  commands
    .command('remove <name>')
    .description('forget a context and its key')
    .action(async (name: string) => {
      const saved = await readContexts(env);
      contextNamed(env, saved, name);
      const { [name]: _, ...contexts } = saved.contexts;
      await writeContexts(env, { current: saved.current === name ? undefined : saved.current, contexts });
      out.write(`${name} is forgotten\n`);
    });
}

async function readContextKey(terminal: Terminal): Promise<string> {
  const { env, stdin } = terminal;
  const given = env['RESCIND_KEY'] || (stdin.isTTY === true ? await askKey(terminal) : await readAll(stdin));
  const key = given.trim();
  if (key === '') throw new UsageError('no key: give it on the standard input or in RESCIND_KEY');
  // A header holds nothing else; a whole file would be a mistake.
  if (!/^[\x21-\x7e]+$/.test(key) || key.length > MAX_KEY_LENGTH)
    throw new UsageError('the standard input holds more than a key');
  return key;
}

/** Asks for the key on the terminal, and does not show it. */
async function askKey({ stdin, err }: Terminal): Promise<string> {
  err.write('Key (not shown): ');
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: stdin, output: nowhere, terminal: true });
  try {
    return await new Promise((resolve) => {
      lines.once('line', resolve);
      lines.once('close', () => resolve(''));
    });
  } finally {
    lines.close();
    err.write('\n');
  }
}
