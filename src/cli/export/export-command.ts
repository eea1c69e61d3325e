import { Option, type Command } from 'commander';
import { pathOf, queryOf, type Client, type Opened } from '../client.js';
import { contextOption, urlOption, type Context } from '../context.js';
import { EXIT } from '../exit-codes.js';
import { createProgress, type Step } from '../progress.js';
import { UsageError } from '../terminal.js';
import { FORMATS, openPartFile, type Format, type PartFile, type Plan } from './part-file.js';

interface Options {
  readonly from?: string;
  readonly to?: string;
  readonly output: string;
  readonly format: Format;
}

const EXAMPLES = `
Killed or cut off at any point, the same command goes on where it was: until the file is whole it is called FILE.part, and FILE.resume has the
window, so that \`7d\` means the same seven days. Lines come in ledger order; \`metadata.sequence\` is the index of the entry.

Examples:
  rescind export ocsf --from 7d -o week.jsonl
  rescind export ocsf --from 7d --format parquet -o week.parquet
  rescind export ocsf --from 2026-11-01 --to 2026-12-01 -o november.jsonl
`;

/** Adds `rescind export`: files for other systems. */
export function addExport(program: Command, context: Context, exitWith: (code: number) => void): void {
  program
    .command('export')
    .description('write files for other systems (needs the role audit)')
    .command('ocsf')
    .description('write what the ledger says as OCSF 1.8.0 events for a SIEM')
    .requiredOption('-o, --output <file>', 'the file to write')
    .option(
      '--from <time>',
      'what arrived at this time or later: RFC 3339, a date, or a duration back from now such as 7d',
    )
    .option('--to <time>', 'what arrived before this time, in the same forms')
    .addOption(
      new Option('--format <format>', 'lines of JSON, or the columns of Parquet').choices(FORMATS).default('jsonl'),
    )
    .addOption(urlOption())
    .addOption(contextOption())
    .addHelpText('after', EXAMPLES)
    .action(async (options: Options, command: Command) => {
      const client = await context.client(command);
      const progress = createProgress(context.terminal.err);
      const interrupted = new AbortController();
      const interrupt = (): void => interrupted.abort();
      process.once('SIGINT', interrupt);
      const file = await openPartFile(options.output);
      if (file === undefined) return void context.terminal.out.write(`${options.output} is written\n`);
      try {
        const isWhole = await exportOcsf({
          client,
          url: await context.url(command),
          file,
          from: options.from,
          to: options.to,
          format: options.format,
          onProgress: (step) => progress.show(step),
          signal: interrupted.signal,
        });
        progress.end();
        if (isWhole) context.terminal.out.write(`${options.output} is written\n`);
        else {
          context.terminal.err.write('rescind: interrupted; the same command goes on\n');
          exitWith(EXIT.interrupted[0]);
        }
      } finally {
        progress.end();
        process.off('SIGINT', interrupt);
        await file.close();
      }
    });
}

interface Export {
  readonly client: Client;
  readonly url: string;
  readonly file: PartFile;
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly format: Format;
  readonly onProgress: (step: Step) => void;
  readonly signal: AbortSignal;
}

/** Writes the window, or the rest of it. Returns false if it was interrupted. */
async function exportOcsf({ client, url, file, onProgress, signal, ...asked }: Export): Promise<boolean> {
  const open = (query: Readonly<Record<string, string | undefined>>): Promise<Opened> =>
    client.open('GET', `${pathOf('export', 'ocsf')}${queryOf(query)}`, undefined, 'application/x-ndjson');
  const { format } = asked;
  const { from = null, to = null } = asked;
  let { plan } = file;
  let opened: Opened;
  if (plan === undefined) {
    opened = await open({ from: asked.from, to: asked.to });
    const before = BigInt(opened.header('rescind-before-index') ?? '0');
    const first = before - BigInt(opened.header('rescind-entries') ?? '0');
    plan = { url, format, from, to, first: String(first), before: String(before) };
    await file.begin(plan);
  } else {
    requireSame(plan, { url, format, from, to });
    const after = file.last ?? BigInt(plan.first) - 1n;
    opened = await open({ before_index: plan.before, ...(after < 0n ? {} : { after_index: String(after) }) });
  }
  const first = BigInt(plan.first);
  const total = BigInt(plan.before) - first;
  for await (const chunk of opened.chunks) {
    if (signal.aborted) return false;
    await file.write(chunk);
    const last = lastSequence(chunk);
    if (last !== undefined) onProgress({ done: last - first + 1n, total });
  }
  if (signal.aborted) return false;
  if (format === 'parquet') onProgress('writing Parquet …');
  await file.finish(format);
  onProgress({ done: total, total });
  return true;
}

function requireSame(plan: Plan, asked: Pick<Plan, 'url' | 'format' | 'from' | 'to'>): void {
  for (const name of ['url', 'format', 'from', 'to'] as const)
    if (plan[name] !== asked[name])
      throw new UsageError(
        `the file was begun with ${name} ${plan[name] ?? 'unset'}: ask for the same, or remove the file's .part and .resume`,
      );
}

/** The index of the last entry that a piece of the answer names. Quotation marks inside a text are escaped, so that no text looks like it. */
function lastSequence(chunk: string): bigint | undefined {
  const at = chunk.lastIndexOf(BEHIND_SEQUENCE);
  const digits = at < 0 ? undefined : /"sequence":(\d+)$/.exec(chunk.slice(Math.max(0, at - 40), at))?.[1];
  return digits === undefined ? undefined : BigInt(digits);
}
const BEHIND_SEQUENCE = ',"logged_time":';
