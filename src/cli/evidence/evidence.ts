import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { pathOf } from '../client.js';
import { urlOption, type Context } from '../context.js';
import { UsageError, write } from '../terminal.js';

const HELP = `
Writes the evidence file of an entry: what \`rescind verify\` checks offline. Needs the role audit; with \`audit: {payloads: false}\` the
file has no payload. Several at once: GET /v1/evidence?index=1&index=2, an archive with a file a line.

Examples:
  rescind evidence 1234 --out 1234.evidence.json
  rescind evidence 1234 | rescind verify - --key …
`;

export function addEvidence(program: Command, context: Context): void {
  program
    .command('evidence <index>')
    .description('fetch the evidence that the ledger holds an entry, to be checked offline with `rescind verify`')
    .option('--out <file>', 'a new file to write to (default: the standard output)')
    .addOption(urlOption())
    .addHelpText('after', HELP)
    .action(async (index: string, { out }: { readonly out?: string }, command: Command) => {
      const client = await context.client(command);
      const { evidence, state } = await client.get(pathOf('entries', index), { evidence: 'true' });
      if (typeof evidence !== 'object' || evidence === null)
        throw new Error(
          `entry ${index} is ${String(state)}: no signed checkpoint covers it yet. Ask again in a second`,
        );
      const text = `${JSON.stringify(evidence)}\n`;
      if (out === undefined) return write(context.terminal.out, text);
      try {
        await writeFile(out, text, { flag: 'wx' });
      } catch (error) {
        throw new UsageError(`${out} cannot be written (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
      }
    });
}
