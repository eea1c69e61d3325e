import type { Command } from 'commander';
import { pathOf } from '../client.js';
import { jsonOption, urlOption, type Context } from '../context.js';

export function addSignIn(program: Command, context: Context): void {
  program
    .command('sign-in')
    .description(
      'make a link that opens the console as an administrator, once and within an hour (needs the role admin)',
    )
    .addOption(urlOption())
    .addOption(jsonOption())
    .action(async (_options: object, command: Command) => {
      const client = await context.client(command);
      context.show(command, await client.post(pathOf('sign-in-links'), {}));
    });
}
