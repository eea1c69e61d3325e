import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import type { Command } from 'commander';
import type { CheckedStep, KeyType, VerifierKey } from '../../merkle/index.js';
import { jsonOption, type Context } from '../context.js';
import { EXIT } from '../exit-codes.js';
import { collect } from '../option-values.js';
import { printable } from '../output.js';
import { UsageError, write } from '../terminal.js';

interface VerifyOptions {
  readonly key: readonly string[];
  readonly witness?: readonly string[];
}

/** The result for one line of a file. */
interface Verdict {
  readonly line: number;
  readonly ok: boolean;
  readonly steps: readonly CheckedStep[];
}

const HELP = `
Speaks to no service: it needs the file and the log's public key alone. Get the key once, from somebody you trust, and keep it;
a key that comes with the evidence proves nothing. \`rescind ledger\` shows the keys of a service.

Exit codes: 0 everything holds, 1 something is wrong or the file holds no evidence, 2 wrongly called.

Examples:
  rescind verify 1234.evidence.json --key log.example/…+a3e2457c+AQOh…
  rescind verify archive.jsonl --key … --witness witness.example/w1+20324abe+BCms…
  rescind evidence 1234 | rescind verify - --key …
`;

export function addVerify(program: Command, context: Context, exitWith: (code: number) => void): void {
  program
    .command('verify <file>')
    .description('check evidence offline: one file, or an archive with one a line (- is the standard input)')
    .requiredOption('--key <vkey>', 'verifier key of the log; may be repeated, for a log that changed its key', collect)
    .option('--witness <vkey>', 'verifier key of a witness that must have cosigned; may be repeated', collect)
    .addOption(jsonOption())
    .addHelpText('after', HELP)
    .action(async (file: string, { key, witness = [] }: VerifyOptions, command: Command) => {
      const { parseVerifierKey, splitEvidence, verifyEvidence } = await import('../../merkle/index.js');
      const readKey = keyReader(parseVerifierKey);
      const keys = key.map((text) => readKey('--key', text, 'ed25519'));
      const witnesses = witness.map((text) => readKey('--witness', text, 'cosignature'));
      const { terminal } = context;
      const isJson = command.optsWithGlobals<{ json?: boolean }>().json === true;
      let count = 0;
      for await (const text of splitEvidence(textOf(file === '-' ? terminal.stdin : createReadStream(file)))) {
        count += 1;
        const steps = verifyEvidence(text, keys, witnesses);
        const verdict = { line: count, ok: steps.every(({ ok }) => ok), steps };
        await write(terminal.out, isJson ? `${JSON.stringify(verdict)}\n` : verdictText(verdict));
        if (verdict.ok) continue;
        const { what, detail } = steps.at(-1)!;
        terminal.err.write(`rescind: line ${count} does not hold. Not so: ${what}. ${printable(detail)}\n`);
        return exitWith(EXIT.failed[0]);
      }
      if (count === 0) throw new Error('the file holds no evidence');
      if (!isJson)
        terminal.out.write(count === 1 ? 'The evidence holds.\n' : `The evidence of ${count} lines holds.\n`);
    });
}

const keyReader =
  (parse: (text: string) => VerifierKey | undefined) =>
  (option: string, text: string, type: KeyType): VerifierKey => {
    const key = parse(text);
    if (key?.type === type) return key;
    const owner = type === 'ed25519' ? 'a log' : 'a witness';
    throw new UsageError(`${option} takes the Ed25519 verifier key of ${owner}, <name>+<id>+<base64>`);
  };

async function* textOf(input: Readable): AsyncGenerator<string> {
  input.setEncoding('utf8');
  try {
    yield* input as AsyncIterable<string>;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw code === undefined ? error : new UsageError(`the file cannot be read (${code})`);
  }
}

const verdictText = ({ line, steps }: Verdict): string =>
  [
    `line ${line}`,
    ...steps.map(({ what, ok, detail }) => `  ${ok ? 'ok   ' : 'WRONG'}  ${what}: ${printable(detail)}`),
    '',
  ].join('\n');
