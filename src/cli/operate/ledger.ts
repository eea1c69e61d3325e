import type { Command } from 'commander';
import { timeText } from '../../contracts/index.js';
import type { Rotation } from '../../log/index.js';
import { ask, canAsk } from '../ask/ask.js';
import type { Answer } from '../client.js';
import { jsonOption, type Context } from '../context.js';
import { EXIT } from '../exit-codes.js';
import { readInput } from '../option-values.js';
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
      const { continueOnDatabase, config, log } = await loadParts(context);
      const { origin, lastOrigin, last, kept } = await continueOnDatabase(config, { tenant, reason, log });
      context.show(command, {
        origin,
        last: { origin: lastOrigin, size: String(last.size) },
        kept: String(kept),
        lost: String(last.size > kept ? last.size - kept : 0n),
      });
    });
}

const AGREED = 'rotate';

interface RotateOptions {
  readonly reason?: string;
  readonly keyFile?: string;
  readonly preview?: boolean;
  readonly yes?: boolean;
}

export function addLedgerRotateKey(
  ledger: Command,
  context: Context,
  variables: Variables,
  exitWith: (code: number) => void,
): void {
  ledger
    .command('rotate-key')
    .argument('[tenant]', 'id or name of the tenant', 'default')
    .description(
      "change the key that signs a ledger; works on the database and LEDGER_DIR of the service's environment, also beside a running service",
    )
    .option('--reason <text>', 'why, for the ledger: the entry log-key.changed says it')
    .option('--key-file <file>', 'the new Ed25519 key, in PEM; `-` is standard input (default: one is made)')
    .option('--preview', 'show what would change; change nothing')
    .option('--yes', 'do not show the preview on a terminal, and do not ask')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
The new key is kept beside the old one, and both sign every checkpoint for at least 30 days. In that time give the new verifier key to everybody who has the old
one: auditors and witnesses. Then the old key signs no more; it stays listed at /ledger/<tenant>/keys, and what it signed stays valid. If it was killed, run
it again. Run it as the user of the service, and back up LEDGER_DIR after it.

Examples:
  rescind ledger rotate-key --preview
  rescind ledger rotate-key --reason 'the yearly change'
${describeVariables(variables)}`,
    )
    .action(async (tenant: string, options: RotateOptions, command: Command) => {
      const { reason, keyFile, preview: isPreview = false, yes = false } = options;
      if (!isPreview && reason === undefined) command.error('give --reason, or --preview', { code: 'usage' });
      const { terminal } = context;
      const pem = keyFile === undefined ? undefined : await readInput(keyFile, terminal);
      const { rotateOnDatabase, config, log } = await loadParts(context);
      const rotated = await rotateOnDatabase(config, {
        tenant,
        pem,
        log,
        async agree(rotation) {
          if (isPreview) {
            context.showText(command, answerOf(rotation), previewText);
            return undefined;
          }
          if (yes || !canAsk(terminal)) return reason;
          terminal.err.write(previewText(answerOf(rotation)));
          if ((await ask(terminal, `To change the key, type ${AGREED}: `)) === AGREED) return reason;
          terminal.err.write('Nothing was changed.\n');
          exitWith(EXIT.failed[0]);
          return undefined;
        },
      });
      if (rotated !== undefined) context.show(command, { ...answerOf(rotated), entry: String(rotated.index) });
    });
}

const answerOf = ({ origin, from, to, until }: Rotation): Answer => ({
  origin,
  from,
  to: to ?? null,
  until: timeText(until),
});

const previewText = ({ origin, from, to, until }: Answer): string =>
  [
    `Ledger: ${String(origin)}`,
    `Key that signs now: ${String(from)}`,
    `New key: ${to === null ? 'made now, and kept in LEDGER_DIR' : String(to)}`,
    `Both sign until: ${String(until)}`,
    'The ledger says so in its next entry.',
    '',
  ].join('\n');

async function loadParts({ terminal }: Context) {
  const [onDatabase, { createLog }, { readConfig }] = await Promise.all([
    import('./ledger-on-database.js'),
    import('../../platform/log/index.js'),
    import('../../platform/config/index.js'),
  ]);
  const config = readConfig(terminal.env);
  return { ...onDatabase, config, log: createLog({ level: config.logLevel }) };
}
