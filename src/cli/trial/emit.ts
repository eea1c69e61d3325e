import type { Command } from 'commander';
import type { CloudEvent, EventDataOf, IntakeResult, SourceEventName } from '../../contracts/index.js';
import { RequestFailed, unreachable } from '../client.js';
import { jsonOption, urlOption, type Context } from '../context.js';
import { readInput, readJson } from '../option-values.js';
import type { Trial } from './emit-trial.js';
import { UsageError } from '../terminal.js';

interface EmitOptions {
  readonly type?: string;
  readonly source?: string;
  readonly data?: string;
  readonly id?: string;
  readonly time?: string;
  readonly subject?: string;
  readonly rate?: number;
  readonly for?: number;
  readonly register?: boolean;
}

const DEFAULT_SECONDS = 30;
/** Seconds by which a run's key outlives the run. The key is removed at the run's end. */
const KEY_MARGIN_S = 3_600;

const EXAMPLES = `
The key needs the role emit for the source. The administrator's key does not have it; make one that does:
  rescind caller create idp-events --emit idp
  export RESCIND_KEY=rsk_…

Examples:
  rescind emit --type session.ended --source https://idp.acme.example \\
    --data '{"iss":"https://idp.acme.example","sid":"s-1","sub":"alice"}'
  rescind emit events.ndjson
  my-exporter | rescind emit -

Made-up but believable traffic of an identity provider and an application, to try things out:
  rescind emit --rate 200 --for 60 --register   registers trial-idp and trial-app first; needs the administrator's key
  rescind emit --rate 200 --for 60              with the key of a caller that may emit for both
`;

export function addEmit(program: Command, context: Context): void {
  program
    .command('emit [file]')
    .description('send events over HTTP: CloudEvents from a file (- is the standard input), or one from the options')
    .option('--type <name>', 'type of the event, such as session.ended or dev.rescind.session.ended.v1')
    .option('--source <uri>', 'URI with which the source is registered')
    .option('--data <json>', 'data of the event, or @path of a file with it')
    .option('--id <id>', 'id of the event (default: a random one)')
    .option('--time <time>', 'time of the event (default: now)')
    .option('--subject <text>', 'CloudEvents subject of the event')
    .option('--rate <n>', 'send made-up traffic, this many events a second', wholeNumber)
    .option('--for <seconds>', `with --rate: how long (default: ${DEFAULT_SECONDS})`, wholeNumber)
    .option('--register', 'with --rate: register the sources of that traffic if they are missing')
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(async (file: string | undefined, options: EmitOptions, command: Command) => {
      if (options.rate !== undefined) return sendTraffic(context, command, file, options.rate, options);
      if (options.for !== undefined || options.register) throw new UsageError('--for and --register go with --rate');
      const { createHttpEmitter } = await import('../../emit/index.js');
      const { url, key } = await context.settings(command);
      const events =
        file === undefined
          ? [await buildOne(options, context)]
          : parseEvents(file, await readInput(file, context.terminal));
      if (events.length === 0) throw new UsageError(`${file} holds no event`);
      const results = await createHttpEmitter({ url, credentials: { bearer: key } })
        .emit(events)
        .catch((error: unknown) => {
          throw explainFailure(url, error);
        });
      if (command.optsWithGlobals()['json'] === true) context.terminal.out.write(`${JSON.stringify(results)}\n`);
      else
        results.forEach((result, at) =>
          context.terminal.out.write(`${events[at]!.id}: ${describe(result)}\n${warningLines(result)}`),
        );
      if (results.some((result) => 'error' in result))
        throw new EventsRefused(results.filter((result) => 'error' in result).length, results.length);
    });
}

function explainFailure(url: string, error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  // The library hides in `cause` why nobody answered; the service's own words are in the message.
  const { code, cause } = error as Error & { code?: unknown };
  if (cause !== undefined) return unreachable(url, cause);
  return typeof code === 'string' ? new RequestFailed(code, `${code}: ${error.message} [${url}]`, url) : error;
}

/** The lines printed before have the reasons; exit code 1. */
export class EventsRefused extends Error {
  override readonly name = 'EventsRefused';
  constructor(refused: number, sent: number) {
    super(`${refused} of ${sent} events refused`);
  }
}

async function sendTraffic(
  context: Context,
  command: Command,
  file: string | undefined,
  rate: number,
  options: EmitOptions,
): Promise<void> {
  if (file !== undefined || options.type !== undefined)
    throw new UsageError('--rate makes its events up: name no file and no --type');
  const { emitTraffic } = await import('./emit-traffic.js');
  const { url, key } = await context.settings(command);
  const seconds = options.for ?? DEFAULT_SECONDS;
  const json = command.optsWithGlobals<{ json?: boolean }>().json === true;
  const trial = options.register ? await registered(context, command, seconds) : undefined;
  try {
    const { sent, refused, dropped } = await emitTraffic(context, { url, key: trial?.key ?? key, rate, seconds, json });
    if (refused > 0) throw new EventsRefused(refused, sent);
    if (dropped > 0) throw new Error(`${dropped} of ${sent} events were not delivered`);
  } finally {
    await trial?.remove();
  }
}

async function registered(context: Context, command: Command, seconds: number): Promise<Trial> {
  const { registerTrial } = await import('./emit-trial.js');
  return registerTrial(await context.client(command), Math.floor(Date.now() / 1000) + seconds + KEY_MARGIN_S);
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new UsageError(`a whole number above 0, not ${text}`);
  return Number(text);
}

async function buildOne(options: EmitOptions, context: Context): Promise<CloudEvent> {
  const { buildEvent } = await import('../../emit/index.js');
  const { SOURCE_EVENT_NAMES, parseEventType } = await import('../../contracts/index.js');
  const { type, source, data } = options;
  if (type === undefined || source === undefined || data === undefined) {
    throw new UsageError('name a file, or give --type, --source and --data');
  }
  const name = parseEventType(type) ?? type;
  if (!SOURCE_EVENT_NAMES.includes(name as SourceEventName))
    throw new UsageError(`--type is one of ${SOURCE_EVENT_NAMES.join(', ')}`);
  const text = data.startsWith('@') ? await readInput(data.slice(1), context.terminal) : data;
  const { id, time, subject } = options;
  const told = {
    ...(id === undefined ? {} : { id }),
    ...(time === undefined ? {} : { time }),
    ...(subject === undefined ? {} : { subject }),
  };
  return buildEvent(name as SourceEventName, {
    source,
    data: readJson('--data', text) as EventDataOf[SourceEventName],
    ...told,
  });
}

/** Reads one event, an array of events, or one event a line. */
function parseEvents(name: string, text: string): readonly CloudEvent[] {
  try {
    const value: unknown = JSON.parse(text);
    return (Array.isArray(value) ? value : [value]) as CloudEvent[];
  } catch {
    return text
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line, at) => readJson(`line ${at + 1} of ${name}`, line) as CloudEvent);
  }
}

const warningLines = (result: IntakeResult): string =>
  'error' in result
    ? ''
    : (result.warnings ?? []).map(({ code, detail }) => `  warning, ${code}: ${detail}\n`).join('');

function describe(result: IntakeResult): string {
  if ('error' in result) return `refused: ${result.error}${result.detail === undefined ? '' : ` (${result.detail})`}`;
  return 'duplicate' in result ? `known already, at index ${result.index}` : `${result.state} at index ${result.index}`;
}
