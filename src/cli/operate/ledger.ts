import type { Command } from 'commander';
import { jsonOption, type Context } from '../context.js';
import { describeVariables, type Variables } from './serve.js';

export function addLedgerContinue(ledger: Command, context: Context, variables: Variables): void {
  ledger
    .command('continue <tenant>')
    .description(
      'let a ledger go on that is behind a checkpoint which was signed, because an old backup was restored and there is no newer one; stop every process of the deployment first',
    )
    .requiredOption('--reason <text>', 'why, for the ledger: its next entry says it')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Restore the newest backup first: entries that this database lacks are lost for ever, and everybody who kept the old checkpoint sees it. The ledger goes
on under a new origin; the old one stays readable at /ledger/<tenant>/<incarnation>/.

Example:
  rescind ledger continue default --reason 'the disk was lost; restored the backup of 02:00'
${describeVariables(variables)}`,
    )
    .action(async (tenant: string, { reason }: { readonly reason: string }, command: Command) => {
      const [{ continueOnDatabase }, { createLog }, { readConfig }] = await Promise.all([
        import('./continue-ledger.js'),
        import('../../platform/log/index.js'),
        import('../../platform/config/index.js'),
      ]);
      const config = readConfig(context.terminal.env);
      const log = createLog({ level: config.logLevel });
      const { origin, lastOrigin, last, kept } = await continueOnDatabase(config, { tenant, reason, log });
      context.show(command, {
        origin,
        last: { origin: lastOrigin, size: String(last.size) },
        kept: String(kept),
        lost: String(last.size > kept ? last.size - kept : 0n),
      });
    });
}
