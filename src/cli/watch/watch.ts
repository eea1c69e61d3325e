import { setTimeout as delay } from 'node:timers/promises';
import { InvalidArgumentError, type Command } from 'commander';
import { pathOf, RequestFailed, type Client, type Opened } from '../client.js';
import { contextOption, jsonOption, urlOption, type Context } from '../context.js';
import { EXIT } from '../exit-codes.js';
import { eventText } from './event-text.js';
import { readEvents, type StreamEvent } from './events.js';

const SHOWN = ['finding', 'rule', 'coverage'] as const;
/** Delay before a stream that ended is opened again. */
const AGAIN_MS = 1_000;

interface Options {
  readonly only?: readonly string[];
  readonly after?: string;
  readonly count?: number;
  readonly json?: boolean;
}

const EXAMPLES = `
It goes on until it is interrupted, over restarts of the service and of the network, and misses nothing meanwhile.

Examples:
  rescind watch                        findings, rules as they come into force, and coverage
  rescind watch --only finding --json  one JSON object a line, for a script
  rescind watch --count 1              wait for the next event
`;

/** Adds `rescind watch`: what happens now. */
export function addWatch(program: Command, context: Context, exitWith: (code: number) => void): void {
  program
    .command('watch')
    .description('show what happens now: findings, rules node by node, coverage (needs the role audit)')
    .option('--only <events>', `only these, separated by commas: ${SHOWN.join(', ')}`, readOnly)
    .option('--after <id>', 'go on behind the event with this id, which --json shows')
    .option('--count <number>', 'end after so many events', readCount)
    .addOption(urlOption())
    .addOption(contextOption())
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(async (options: Options, command: Command) => {
      const client = await context.client(command);
      const interrupted = new AbortController();
      const interrupt = (): void => interrupted.abort();
      process.once('SIGINT', interrupt);
      try {
        for await (const event of follow(client, options, interrupted.signal, context)) {
          const { json } = command.optsWithGlobals<Options>();
          context.terminal.out.write(json === true ? `${JSON.stringify(event)}\n` : eventText(event));
        }
        if (interrupted.signal.aborted) exitWith(EXIT.interrupted[0]);
      } finally {
        process.off('SIGINT', interrupt);
      }
    });
}

/** Yields the events to be shown. It opens the stream again whenever it ends, unless the service refuses it. */
async function* follow(
  client: Client,
  { only, after, count = Infinity }: Options,
  signal: AbortSignal,
  { terminal }: Context,
): AsyncGenerator<StreamEvent> {
  let last = after;
  let shown = 0;
  let hasBeenOpen = false;
  while (!signal.aborted) {
    try {
      const headers: Record<string, string> = last === undefined ? {} : { 'last-event-id': last };
      const opened = await client.open('GET', pathOf('stream'), undefined, 'text/event-stream', headers);
      hasBeenOpen = true;
      for await (const event of readEvents(endedBy(opened, signal))) {
        last = event.id;
        if (event.event === 'start' || (only !== undefined && !only.includes(event.event) && event.event !== 'gap'))
          continue;
        yield event;
        if (++shown >= count) return;
      }
    } catch (error) {
      // A service that could never be reached, or refuses, will not change its mind.
      if (!hasBeenOpen || !(error instanceof RequestFailed) || error.code !== 'unreachable') throw error;
      terminal.err.write(`rescind: ${error.message}; trying again\n`);
    }
    await delay(AGAIN_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** Yields what arrives until it ends, `signal` is aborted, or nobody takes more. */
async function* endedBy({ chunks, close }: Opened, signal: AbortSignal): AsyncGenerator<string> {
  const reading = chunks[Symbol.asyncIterator]();
  const aborted = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  try {
    for (;;) {
      const next = await Promise.race([reading.next(), aborted]);
      if (next === undefined || next.done === true) return;
      yield next.value;
    }
  } finally {
    close();
  }
}

function readOnly(text: string): readonly string[] {
  const only = text.split(',');
  const unknown = only.find((one) => !(SHOWN as readonly string[]).includes(one));
  if (unknown !== undefined) throw new InvalidArgumentError(`\`${unknown}\` is not one of ${SHOWN.join(', ')}.`);
  return only;
}

function readCount(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('It is a number from 1 on.');
  return Number(text);
}
