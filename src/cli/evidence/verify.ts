import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import type { Command } from 'commander';
import type { CheckedStep, EvidenceStep } from '../../merkle/index.js';
import { jsonOption, type Context } from '../context.js';
import { EXIT } from '../exit-codes.js';
import { collect, keyReader } from '../option-values.js';
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
  /** The index of the entry, decimal; absent if the line is no evidence. */
  readonly index?: string;
  readonly steps: readonly CheckedStep[];
}

const HELP = `
Speaks to no service: it needs the file and the log's public key alone. Get the key once, from somebody you trust, and keep it;
a key that comes with the evidence proves nothing. \`rescind ledger\` shows the keys of a service.

Every line of an archive gets its verdict, the wrong ones with each step; the last line says which entries hold. A segment of the
archive is proven if that says "every entry" of its range.

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
      const merkle = await import('../../merkle/index.js');
      const { verifyJws } = await import('./verify-jws.js');
      const readKey = keyReader(merkle.parseVerifierKey);
      const keys = key.map((text) => readKey('--key', text, 'ed25519'));
      const witnesses = witness.map((text) => readKey('--witness', text, 'cosignature'));
      const { terminal } = context;
      const isJson = command.optsWithGlobals<{ json?: boolean }>().json === true;
      const input = file === '-' ? terminal.stdin : createReadStream(file);
      const summary = createSummary();
      let single: Verdict | undefined;
      for await (const text of merkle.splitEvidence(textOf(input))) {
        const steps = await merkle.verifyEvidence(text, keys, witnesses, verifyJws);
        const index = merkle.parseEvidence(text)?.proof.index;
        const verdict: Verdict = {
          line: summary.add(index, steps),
          ok: steps.every(({ ok }) => ok),
          ...(index === undefined ? {} : { index: String(index) }),
          steps,
        };
        if (isJson) await write(terminal.out, `${JSON.stringify(verdict)}\n`);
        else if (verdict.line === 1) single = verdict;
        else {
          if (single) await write(terminal.out, lineText(single));
          single = undefined;
          await write(terminal.out, lineText(verdict));
        }
      }
      // A file of one line is shown step by step.
      if (single) terminal.out.write(stepsText(single));
      const { text, problem } = summary.end();
      if (!isJson && text !== undefined) terminal.out.write(text);
      if (problem === undefined) return;
      terminal.err.write(`rescind: ${printable(problem)}\n`);
      exitWith(EXIT.failed[0]);
    });
}

/** Counts lines, remembers which entries hold, and the first line that does not. */
function createSummary() {
  let lines = 0;
  let wrong = 0;
  let first: string | undefined;
  const held = new Set<bigint>();
  return {
    /** Returns the number of the line. */
    add(index: bigint | undefined, steps: readonly CheckedStep[]): number {
      lines += 1;
      const { ok, what, detail } = steps.at(-1)!;
      if (ok && index !== undefined) held.add(index);
      if (ok) return lines;
      wrong += 1;
      first ??= `line ${lines} does not hold. Not so: ${what}. ${detail}`;
      return lines;
    },
    end(): { readonly text?: string; readonly problem?: string } {
      if (lines === 0) return { problem: 'the file holds no evidence' };
      if (first === undefined)
        return {
          text: lines === 1 ? 'The evidence holds.\n' : `The evidence of ${lines} lines holds: ${rangeText(held)}.\n`,
        };
      return {
        problem: first,
        ...(lines === 1 ? {} : { text: `${wrong} of ${lines} lines do not hold; the others: ${rangeText(held)}.\n` }),
      };
    },
  };
}

function rangeText(held: ReadonlySet<bigint>): string {
  const indexes = [...held].sort((one, other) => (one < other ? -1 : 1));
  const [first, last] = [indexes[0], indexes.at(-1)];
  if (first === undefined || last === undefined) return 'none';
  if (first === last) return `entry ${first}`;
  const isEvery = last - first + 1n === BigInt(indexes.length);
  return isEvery ? `every entry from ${first} to ${last}` : `${indexes.length} entries between ${first} and ${last}`;
}

async function* textOf(input: Readable): AsyncGenerator<string> {
  input.setEncoding('utf8');
  try {
    yield* input as AsyncIterable<string>;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw code === undefined ? error : new UsageError(`the file cannot be read (${code})`);
  }
}

/** One line for evidence that holds; every step for one that does not. */
function lineText(verdict: Verdict): string {
  const { line, ok, steps } = verdict;
  if (!ok) return stepsText(verdict);
  const stepOf = (name: EvidenceStep): CheckedStep => steps.find(({ step }) => step === name)!;
  const source = stepOf('source');
  const signed = source.checked ? `; ${source.detail}` : '';
  return `line ${line}  ok  ${printable(`${stepOf('entry').detail}${signed}`)}\n`;
}

const markOf = ({ ok, checked }: CheckedStep): string => (checked ? (ok ? 'ok   ' : 'WRONG') : '–    ');

const stepsText = ({ line, steps }: Verdict): string =>
  [`line ${line}`, ...steps.map((step) => `  ${markOf(step)}  ${step.what}: ${printable(step.detail)}`), ''].join('\n');
