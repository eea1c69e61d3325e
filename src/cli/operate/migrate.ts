import type { Command } from 'commander';
import type { Context } from '../context.js';
import { describeVariables, type Variables } from './serve.js';

const EXAMPLES = `
Runs what the database lacks, in one transaction; nodes of the release before go on meanwhile. A second \`rescind migrate\` waits for the first.
Exit codes: 0 up to date, 1 pending (with --check) or failed.

Examples:
  rescind migrate --check     name what is pending, change nothing
  rescind migrate             run it; then start the nodes with MIGRATIONS=manual
`;

export function addMigrate(
  program: Command,
  context: Context,
  variables: Variables,
  exitWith: (code: number) => void,
): void {
  program
    .command('migrate')
    .description('bring the database up to date with this release, apart from the start of a node')
    .option('--check', 'only name the migrations that are pending; exit code 1 when there are some')
    .addHelpText('after', EXAMPLES + describeVariables(variables))
    .action(async ({ check = false }: { check?: boolean }) => {
      const [{ checkSchema, migrateSchema }, { createLog }, { readConfig }] = await Promise.all([
        import('./migrate-schema.js'),
        import('../../platform/log/index.js'),
        import('../../platform/config/index.js'),
      ]);
      const config = readConfig(context.terminal.env);
      const log = createLog({ level: config.logLevel });
      const names = await (check ? checkSchema : migrateSchema)(config, log);
      context.terminal.out.write(describe(names, check ? 'pending' : 'ran'));
      if (check && names.length > 0) exitWith(1);
    });
}

function describe(names: readonly string[], what: 'pending' | 'ran'): string {
  if (names.length === 0) return 'The database is up to date.\n';
  const heading =
    what === 'pending'
      ? 'The database lacks these migrations; `rescind migrate` runs them:'
      : 'The database is up to date. These migrations were run:';
  return [heading, ...names.map((name) => `  ${name}`), ''].join('\n');
}
