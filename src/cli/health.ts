import { readFile } from 'node:fs/promises';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { text } from 'node:stream/consumers';
import { Argument, type Command } from 'commander';
import { unreachable } from './client.js';
import { jsonOption, type Context } from './context.js';
import { formatTable } from './output.js';
import { findUrl } from './settings.js';
import { UsageError } from './terminal.js';

/** Longer than the service's own bound for a check; shorter than what container healthchecks usually allow. */
const TIMEOUT_MS = 5_000;
/** The answer is a few hundred bytes. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** What is asked about, each with the checks of `/health/ready` that it needs. A part without any check is not on that instance. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  serve: ['process', 'control-fence', 'database', 'serving', 'topic-feeds'],
  ingest: ['process', 'control-fence', 'database', 'kafka'],
  database: ['database'],
  kafka: ['kafka'],
};

const HELP = `
Prints a line for each part: ok, failed with the check that failed, or none if that instance has no such part (as kafka with KAFKA_BROKERS=none).
Needs no key and sends none. Exit codes: 0 all parts that were asked for are ok, 1 one is not or nobody answers.

As the healthcheck of a container, whose node stays useful while Kafka is away:
  rescind health serve
With TLS, where the certificate is another name's than the address':
  rescind health serve --url https://127.0.0.1:7423 --ca /etc/rescind/ca.crt --server-name rescind.example.com
`;

interface HealthOptions {
  readonly url?: string;
  readonly ca?: string;
  readonly serverName?: string;
}

interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly code?: string;
}

interface Part {
  readonly part: string;
  readonly state: 'ok' | 'failed' | 'none';
  readonly reason?: string;
}

export function addHealth(program: Command, context: Context, exitWith: (code: number) => void): void {
  program
    .command('health')
    .description('say whether a running instance is well: a line each for serve, ingest, database and kafka')
    .addArgument(new Argument('[parts...]', 'ask about these alone').choices(Object.keys(PARTS)))
    .option('--url <url>', 'the instance (default: RESCIND_URL, else the one that runs in RESCIND_HOME)')
    .option('--ca <path>', 'PEM certificates that the instance is checked against (default: the authorities that Node trusts)')
    .option('--server-name <name>', 'name that the certificate must be for (default: the host of the URL)')
    .addOption(jsonOption())
    .addHelpText('after', HELP)
    .action(async (parts: readonly string[], options: HealthOptions, command: Command) => {
      const url = await findUrl(context.terminal.env, options.url);
      const checks = await readChecks(url, options);
      const states = (parts.length > 0 ? parts : Object.keys(PARTS)).map((part) => stateOf(part, checks));
      context.showText(command, { url, parts: states }, () => formatTable(states.map((state) => ({ ...state })), ['part', 'state', 'reason']));
      if (states.some(({ state }) => state === 'failed')) exitWith(1);
    });
}

function stateOf(part: string, checks: readonly Check[]): Part {
  const own = checks.filter(({ name }) => PARTS[part]!.includes(name));
  if (own.length === 0) return { part, state: 'none' };
  const failed = own.filter(({ ok }) => !ok);
  if (failed.length === 0) return { part, state: 'ok' };
  return { part, state: 'failed', reason: failed.map(({ name, code }) => (code === undefined ? name : `${name}: ${code}`)).join(', ') };
}

async function readChecks(url: string, options: HealthOptions): Promise<readonly Check[]> {
  const answer = await ask(`${url}/health/ready`, options).catch((error: unknown) => {
    throw error instanceof UsageError ? error : unreachable(url, error);
  });
  try {
    const { checks } = JSON.parse(answer) as { checks: Check[] };
    if (Array.isArray(checks) && checks.every(({ name, ok }) => typeof name === 'string' && typeof ok === 'boolean')) return checks;
  } catch {
    // Told below.
  }
  throw new Error(`what answers at ${url} is not Rescind`);
}

async function ask(url: string, { ca, serverName }: HealthOptions): Promise<string> {
  const isTls = url.startsWith('https:');
  if (!isTls && (ca !== undefined || serverName !== undefined)) throw new UsageError('--ca and --server-name go with an https URL');
  const authority = ca === undefined ? {} : { ca: await readAuthority(ca) };
  const identity = serverName === undefined ? {} : { servername: serverName };
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const options = { agent: false as const, signal, ...authority, ...identity };
    const sent = (isTls ? requestHttps : requestHttp)(url, options, (response) => {
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_ANSWER_BYTES) response.destroy(new Error('the answer is too long'));
      });
      text(response).then(resolve, reject);
    });
    sent.once('error', (error) => reject(signal.aborted ? new Error(`no answer in ${TIMEOUT_MS / 1000} s`) : error));
    sent.end();
  });
}

async function readAuthority(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new UsageError(`${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
}
