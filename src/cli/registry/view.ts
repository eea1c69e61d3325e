import type { Command } from 'commander';
import { pathOf } from '../client.js';
import { jsonOption, urlOption, type Context } from '../context.js';

export function addView(program: Command, context: Context): void {
  const view = program
    .command('view')
    .description('list and remove saved views of the console; the console itself saves and changes them');

  view
    .command('list')
    .description('list your views, and those that others share')
    .addOption(urlOption())
    .addOption(jsonOption())
    .action(async (_options: object, command: Command) => {
      const client = await context.client(command);
      context.showTable(command, await client.get(pathOf('views')), 'views', ['id', 'name', 'owner', 'shared', 'page']);
    });
  view
    .command('remove <id>')
    .description('remove a view: your own, or a shared one (needs the role admin)')
    .addOption(urlOption())
    .addOption(jsonOption())
    .action(async (id: string, _options: object, command: Command) => {
      const client = await context.client(command);
      context.show(command, await client.delete(pathOf('views', id)));
    });
}
