import { open, rm } from 'node:fs/promises';
import type { Command } from 'commander';
import { pathOf, queryOf, type Client } from '../client.js';
import { urlOption, type Context } from '../context.js';
import { UsageError, write } from '../terminal.js';
import { entriesOf, subjectsOf, type Selection } from './entries-of.js';

const HELP = `
Writes evidence files, a line each, in ledger order: what \`rescind verify\` checks offline. Needs the role audit. With
\`audit: {payloads: false}\` there is one entry at a time, and its file has no payload.

A user, client, agent, resource or token stands for every use of the time, and for the entries that the other lines of its timeline
name. Entries that no signed checkpoint covers yet are left out, and counted.

Examples:
  rescind evidence 1234 --out 1234.evidence.json
  rescind evidence 1234 | rescind verify - --key …
  rescind evidence 12 1234 1250 > three.jsonl
  rescind evidence --user iss=https://idp.example,sub=alice --from 30d > alice.jsonl
  rescind evidence --finding 0192f0c1-7d3e-7a10-9c55-3f1f2b8f4b01 > finding.jsonl
  rescind evidence --after-index 65535 --before-index 131072 --out segment.jsonl     a segment of the archive
`;

interface Options extends Selection {
  readonly afterIndex?: string;
  readonly beforeIndex?: string;
  readonly out?: string;
}

type WriteText = (text: string) => Promise<void>;

/** Entries of a request by their indexes, so that its path stays within what servers take. */
const NAMED_AT_ONCE = 250;
/** Entries of a request for a window: the most that an archive of the service has. */
const WINDOW_AT_ONCE = 1_000n;
const INDEX = /^(?:0|[1-9][0-9]*)$/;

export function addEvidence(program: Command, context: Context): void {
  program
    .command('evidence [index...]')
    .description('fetch the evidence that the ledger holds entries, to be checked offline with `rescind verify`')
    .option('--user <name>', 'its id, or iss=…,sub=…[,tenant=…]')
    .option('--client <name>', 'its id, or iss=…,id=…')
    .option('--agent <name>', 'its id, or iss=…,id=…')
    .option('--resource <name>', 'its id or its identifier')
    .option('--token <id>', 'a token, as answers name it')
    .option(
      '--from <time>',
      'with a user, client, agent, resource or token: RFC 3339, a date, or a duration back from now',
    )
    .option('--to <time>', 'the end of that time, in the same forms (default: now)')
    .option('--finding <id>', 'the entries that a finding names')
    .option('--after-index <index>', 'every entry behind this index; -1: from the first')
    .option('--before-index <index>', 'with --after-index: every entry before this index (default: all)')
    .option('--out <file>', 'a new file to write to (default: the standard output)')
    .addOption(urlOption())
    .addHelpText('after', HELP)
    .action(async (indexes: readonly string[], options: Options, command: Command) => {
      const fetch = readWanted(indexes, options);
      const client = await context.client(command);
      const { terminal } = context;
      if (options.out === undefined) return fetch(client, (text) => write(terminal.out, text), terminal.err);
      await intoNewFile(options.out, (writeText) => fetch(client, writeText, terminal.err));
    });
}

type Fetch = (client: Client, writeText: WriteText, notes: { write(text: string): unknown }) => Promise<void>;

/** Reads which of the four ways to name entries was taken. */
function readWanted(indexes: readonly string[], options: Options): Fetch {
  const ways = [
    indexes.length > 0,
    subjectsOf(options).length > 0,
    options.finding !== undefined,
    options.afterIndex !== undefined,
  ];
  if (ways.filter(Boolean).length !== 1)
    throw new UsageError(
      'name entries by their indexes, by one of --user … --token, by --finding, or by --after-index',
    );
  if (indexes.length === 1) return (client, writeText) => writeOne(client, indexes[0]!, writeText);
  if (indexes.length > 1) {
    const named = indexes.map((text) => readIndex('an index', text));
    return (client, writeText) => writeNamed(client, named, writeText);
  }
  if (options.afterIndex === undefined) return (client, ...others) => writeSelected(client, options, ...others);
  const first = options.afterIndex === '-1' ? 0n : readIndex('--after-index', options.afterIndex) + 1n;
  const end = options.beforeIndex === undefined ? undefined : readIndex('--before-index', options.beforeIndex);
  return (client, writeText) => writeWindow(client, first, end, writeText);
}

function readIndex(name: string, text: string): bigint {
  if (!INDEX.test(text)) throw new UsageError(`${name} is a decimal number: ${text}`);
  return BigInt(text);
}

async function writeOne(client: Client, index: string, writeText: WriteText): Promise<void> {
  const { evidence, state } = await client.get(pathOf('entries', index), { evidence: 'true' });
  if (typeof evidence !== 'object' || evidence === null)
    throw new Error(`entry ${index} is ${String(state)}: no signed checkpoint covers it yet. Ask again in a second`);
  await writeText(`${JSON.stringify(evidence)}\n`);
}

async function writeSelected(
  client: Client,
  selection: Selection,
  writeText: WriteText,
  notes: { write(text: string): unknown },
): Promise<void> {
  const found = await entriesOf(client, selection);
  const size = await publishedSize(client);
  const covered = found.filter((index) => index < size);
  if (covered.length === 0)
    throw new Error(`${found.length} entries were found, and a signed checkpoint covers none of them`);
  await writeNamed(client, covered, writeText);
  if (covered.length < found.length)
    notes.write(
      `rescind: ${found.length - covered.length} entries are left out: no signed checkpoint covers them yet\n`,
    );
}

async function writeNamed(client: Client, indexes: readonly bigint[], writeText: WriteText): Promise<void> {
  const sorted = [...new Set(indexes)].sort((one, other) => (one < other ? -1 : 1));
  for (let at = 0; at < sorted.length; at += NAMED_AT_ONCE) {
    const query = sorted.slice(at, at + NAMED_AT_ONCE).map((index) => `index=${index}`);
    await writeArchive(client, `?${query.join('&')}`, writeText);
  }
}

async function writeWindow(
  client: Client,
  first: bigint,
  asked: bigint | undefined,
  writeText: WriteText,
): Promise<void> {
  const size = await publishedSize(client);
  const end = asked ?? size;
  if (end > size) throw new Error(`the newest signed checkpoint covers ${size} entries, and not all before ${end}`);
  if (first >= end) throw new Error('there is no entry in this window');
  for (let from = first; from < end; from += WINDOW_AT_ONCE) {
    const before = from + WINDOW_AT_ONCE < end ? from + WINDOW_AT_ONCE : end;
    const query = queryOf({ after_index: String(from - 1n), before_index: String(before) });
    await writeArchive(client, query, writeText);
  }
}

async function publishedSize(client: Client): Promise<bigint> {
  const { checkpoint } = await client.get(pathOf('ledger'));
  return checkpoint === null ? 0n : BigInt((checkpoint as { readonly size: string }).size);
}

async function writeArchive(client: Client, query: string, writeText: WriteText): Promise<void> {
  const answer = await client.open('GET', `${pathOf('evidence')}${query}`, undefined, 'application/x-ndjson');
  let last = '\n';
  for await (const text of answer.chunks) {
    await writeText(text);
    last = text.at(-1) ?? last;
  }
  if (last !== '\n') throw new Error('the answer was cut off; ask again');
}

async function intoNewFile(path: string, fill: (writeText: WriteText) => Promise<void>): Promise<void> {
  const file = await open(path, 'wx').catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`${path} cannot be written (${error.code ?? 'unknown'})`);
  });
  try {
    await fill(async (text) => void (await file.appendFile(text)));
  } catch (error) {
    // Half an archive would hold, and say less than was asked for.
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}
