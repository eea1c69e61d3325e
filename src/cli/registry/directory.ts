import type { Command } from 'commander';
import { pathOf, RequestFailed, type Answer } from '../client.js';
import { jsonOption, urlOption, type Context } from '../context.js';
import { readInput } from '../option-values.js';
import { formatTable } from '../output.js';

const EXAMPLES = `
A CSV file names its columns in the first line, in any order; addresses and tags are separated by semicolons:
  kind,iss,tenant,id,display_name,user_name,emails,active,owner,team,tags
  user,https://idp.acme.example,,00u1,Alice Archer,alice@acme.example,alice@acme.example,true,,Support,
  client,https://idp.acme.example,,assistant,The Assistant,,,,Carol,Support,
  agent,https://idp.acme.example,,agent-7,Agent Seven,,,,Carol,Support,
  resource,,,https://payroll.acme.example,Payroll,,,,Carol,Finance,sensitive
  team,,,Finance,,,,,Carol,,audited
A JSON file is a list of objects with these members (emails and tags are lists, active is true or false). Tags stay if a file has
no column \`tags\`. At a resource tagged sensitive the detections take every action for sensitive; at one tagged not-sensitive, none.

Examples:
  rescind directory import people.csv
  rescind directory import - < people.json
`;

export function addDirectory(program: Command, context: Context): void {
  const directory = program
    .command('directory')
    .description(
      'manage the names, owners, teams and tags that answers show; no decision about a token depends on them',
    );

  directory
    .command('import <file>')
    .description(
      'write the entries of a file, all or none (- is the standard input; needs the role admin); other entries stay',
    )
    .option('--csv', 'read the file as CSV, whatever its name and first character')
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(async (file: string, { csv }: { readonly csv?: boolean }, command: Command) => {
      const client = await context.client(command);
      const text = await readInput(file, context.terminal);
      const isJson =
        csv !== true && !file.endsWith('.csv') && (file.endsWith('.json') || text.trimStart().startsWith('['));
      try {
        context.show(
          command,
          await client.postText(pathOf('directory', 'import'), text, isJson ? 'application/json' : 'text/csv'),
        );
      } catch (error) {
        throw error instanceof RequestFailed ? explain(error) : error;
      }
    });
  directory
    .command('list')
    .description('list the entries (needs the role audit or admin)')
    .option('--kind <kind>', 'user, client, agent, resource or team')
    .option('--limit <n>', 'maximum number of entries')
    .option('--cursor <cursor>', '`next` of the page before')
    .addOption(urlOption())
    .addOption(jsonOption())
    .action(async ({ kind, limit, cursor }: Readonly<Record<string, string | undefined>>, command: Command) => {
      const client = await context.client(command);
      context.showTable(command, await client.get(pathOf('directory'), { kind, limit, cursor }), 'items', [
        'kind',
        'iss',
        'name',
        'display_name',
        'emails',
        'owner',
        'team',
        'tags',
        'entity',
      ]);
    });
}

/** Formats the faults of an import, one line of the file a row. */
function explain(error: RequestFailed): RequestFailed {
  const lines = error.problem?.['lines'];
  if (!Array.isArray(lines)) return error;
  const faults = Number(error.problem?.['faults']);
  const more = faults > lines.length ? `… and ${faults - lines.length} more\n` : '';
  return new RequestFailed(
    error.code,
    `${error.code}: nothing was taken; ${faults} of the lines ${faults === 1 ? 'is' : 'are'} wrong [${error.url}]\n${formatTable(lines as Answer[], ['line', 'detail'])}${more}`.trimEnd(),
    error.url,
  );
}
