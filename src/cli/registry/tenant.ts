import type { Command } from 'commander';
import { pathOf } from '../client.js';
import { jsonOption, urlOption, type Context } from '../context.js';
import { present } from '../option-values.js';

export function addTenant(program: Command, context: Context): void {
  const tenant = program
    .command('tenant')
    .description('manage the organisations that use this Rescind (needs the role admin)');

  tenant
    .command('create <name>')
    .description('create a tenant and its first administrator, whose secret is shown once')
    .option('--admin <id>', 'id of the administrator (default: <name>-admin)')
    .addOption(urlOption())
    .addOption(jsonOption())
    .action(async (name: string, options: { admin?: string }, command: Command) => {
      const client = await context.client(command);
      context.show(command, await client.post(pathOf('tenants'), present({ name, admin: options.admin })));
    });
  tenant
    .command('list')
    .description('list the tenants that you may see')
    .addOption(urlOption())
    .addOption(jsonOption())
    .action(async (_options: object, command: Command) => {
      const client = await context.client(command);
      context.showTable(command, await client.get(pathOf('tenants')), 'tenants', ['name', 'id']);
    });
  tenant
    .command('show <name>')
    .description('show one tenant, by name or id')
    .addOption(urlOption())
    .addOption(jsonOption())
    .action(async (name: string, _options: object, command: Command) => {
      const client = await context.client(command);
      context.show(command, await client.get(pathOf('tenants', name)));
    });
}
