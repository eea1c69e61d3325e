import type { Command } from 'commander';
import { pathOf } from '../client.js';
import { jsonOption, urlOption, type Context } from '../context.js';

const EXAMPLES = `
Examples:
  rescind partition resume rescind.events.idp 0 --at earliest --reason 'the topic was made anew'
  rescind partition resume rescind.events.idp 0 --at 4712 --reason 'the record set at 4711 is lost'
`;

export function addPartition(program: Command, context: Context): void {
  const partition = program
    .command('partition')
    .description('see how far Kafka partitions are read, and let a stopped one go on (needs the role admin)');

  partition
    .command('list')
    .description('list the partitions with their next offset, their lag, and why they are stopped')
    .addOption(urlOption())
    .addOption(jsonOption())
    .action(async (_options: object, command: Command) => {
      const client = await context.client(command);
      context.showTable(command, await client.get(pathOf('partitions')), 'partitions', [
        'topic',
        'partition',
        'next_offset',
        'lag',
        'stopped',
      ]);
    });
  partition
    .command('resume <topic> <partition>')
    .description('let a stopped partition go on; the ledger records what is skipped')
    .requiredOption('--at <where>', 'where to go on: stored, earliest, latest, or an offset')
    .requiredOption('--reason <text>', 'reason; the ledger records it if records are skipped')
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(async (topic: string, number: string, { at, reason }: { at: string; reason: string }, command: Command) => {
      const client = await context.client(command);
      context.show(command, await client.post(pathOf('partitions', topic, number, 'resume'), { at, reason }));
    });
}
