import { Option, type Command } from 'commander';
import { pathOf, type Answer } from '../client.js';
import { jsonOption, urlOption, type Context } from '../context.js';
import { present, readMoment } from '../option-values.js';

interface ListOptions {
  readonly source?: string;
  readonly code?: string;
  readonly limit?: string;
  readonly cursor?: string;
  readonly operator?: boolean;
}

interface ReplayOptions extends ListOptions {
  readonly from?: string;
  readonly to?: string;
  readonly all?: boolean;
}

const EXAMPLES = `
Examples:
  rescind quarantine list --code wrong-issuer
  rescind quarantine replay 4711
  rescind quarantine replay --all --code wrong-issuer
`;

const operatorOption = (): Option =>
  new Option('--operator', 'events of no registered source (for administrators of the tenant default)');
const queryOf = ({ operator }: { readonly operator?: boolean }): { operator?: 'true' } =>
  operator ? { operator: 'true' } : {};

export function addQuarantine(program: Command, context: Context): void {
  const quarantine = program
    .command('quarantine')
    .description('see why events were refused, and take them in again after a fix (replay needs the role admin)');

  filtered(quarantine.command('list'))
    .description('list refused events, newest first')
    .option('--cursor <cursor>', '`next` of the page before')
    .action(async (options: ListOptions, command: Command) => {
      const client = await context.client(command);
      const { source, code, limit, cursor } = options;
      const page = await client.get(pathOf('quarantine'), { source, code, limit, cursor, ...queryOf(options) });
      context.showTable(command, page, 'items', ['id', 'at', 'code', 'detail', 'source', 'door', 'whole']);
    });
  quarantine
    .command('show <id>')
    .description('show one refused event, with its bytes as far as they are kept')
    .addOption(operatorOption())
    .addOption(urlOption())
    .addOption(jsonOption())
    .action(async (id: string, options: ListOptions, command: Command) => {
      const client = await context.client(command);
      context.show(command, await client.get(pathOf('quarantine', id), queryOf(options)));
    });
  filtered(quarantine.command('replay [id]'))
    .description(
      'take one refused event in again, or all that match; events that are refused again stay, with the new reason',
    )
    .option('--all', 'all events that match the options')
    .option('--from <time>', 'refused at this time or later: RFC 3339, a date, or a duration back from now such as 24h')
    .option('--to <time>', 'refused before this time, in the same forms')
    .addHelpText('after', EXAMPLES)
    .action(async (id: string | undefined, options: ReplayOptions, command: Command) => {
      if ((id === undefined) !== (options.all === true))
        command.error('give the id of one event, or --all', { code: 'usage' });
      const client = await context.client(command);
      const suffix = options.operator ? '?operator=true' : '';
      if (id !== undefined) {
        context.show(command, await client.post(`${pathOf('quarantine', id, 'replay')}${suffix}`));
        return;
      }
      const { source, code, limit } = options;
      const filter = present({
        source,
        code,
        limit: limit && Number(limit),
        from: readMoment('--from', options.from),
        to: readMoment('--to', options.to),
      });
      const items: Answer[] = [];
      for (let after: unknown; ; ) {
        const page = await client.post(`${pathOf('quarantine', 'replay')}${suffix}`, {
          ...filter,
          ...present({ after }),
        });
        items.push(...(page['items'] as Answer[]).flatMap(outcomesOf));
        after = page['next'];
        if (after === undefined || limit !== undefined) break;
      }
      context.showTable(command, { items }, 'items', ['id', 'index', 'state', 'duplicate', 'error', 'detail']);
    });
}

/** Lists the outcomes of one record: a signed batch has one for each of its events. */
const outcomesOf = ({ batch, ...one }: Answer): Answer[] =>
  batch === undefined ? [one] : (batch as Answer[]).map((outcome) => ({ ...one, ...outcome }));

const filtered = (command: Command): Command =>
  command
    .option('--source <id>', 'id of the source')
    .option('--code <code>', 'code of the refusal, such as wrong-issuer')
    .option('--limit <n>', 'maximum number of events')
    .addOption(operatorOption())
    .addOption(urlOption())
    .addOption(jsonOption());
