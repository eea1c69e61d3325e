import type { Command } from 'commander';
import type { ConfigReport } from '../../platform/config/index.js';
import { jsonOption, type Context } from '../context.js';
import { formatTable } from '../output.js';

const CHECK_HELP = `
Reads the environment and the files that it names, exactly as \`rescind serve\` does at its start, and starts nothing.
Values are never printed. Exit codes: 0 the configuration is accepted, 1 it is refused.

Example:
  DATABASE_URL=… KAFKA_BROKERS=… rescind config check
`;

export function addConfig(program: Command, context: Context, exitWith: (code: number) => void): void {
  const config = program
    .command('config')
    .description('look at the configuration that the service would have in this environment');

  config
    .command('check')
    .description('list each variable with the source of its value, and every problem')
    .addOption(jsonOption())
    .addHelpText('after', CHECK_HELP)
    .action(async (_options: object, command: Command) => {
      const { reportConfig } = await import('../../platform/config/index.js');
      const report = reportConfig(context.terminal.env);
      context.showText(command, { ...report, accepted: report.problems.length === 0 }, () => describe(report));
      if (report.problems.length > 0) exitWith(1);
    });
}

function describe({ variables, problems }: ConfigReport): string {
  const rows = variables.map(({ variable, source, meaning }) => ({
    variable,
    set: source === 'default' ? 'no' : 'yes',
    source,
    meaning,
  }));
  const verdict =
    problems.length === 0
      ? 'The configuration is accepted.\n'
      : `The configuration is refused:\n${problems.map(({ variable, problem }) => `  ${variable} ${problem}\n`).join('')}`;
  return `${formatTable(rows, ['variable', 'set', 'source', 'meaning'])}\n${verdict}`;
}
