import { readFile } from 'node:fs/promises';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { text } from 'node:stream/consumers';
import { Argument, type Command } from 'commander';
import { unreachable } from '../client.js';
import { jsonOption, type Context } from '../context.js';
import { formatTable } from '../output.js';
import { findUrl } from '../settings.js';
import { UsageError } from '../terminal.js';

/** Longer than the service's own limit for a check; shorter than the usual limit of a container's healthcheck. */
const TIMEOUT_MS = 5_000;
/** The answer is a few hundred bytes. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** Parts that a person can name: a role of the instance, or one check of its roles. */
const ROLES = ['serve', 'ingest'] as const;
const CHECKS = ['database', 'kafka'] as const;
const PARTS: readonly string[] = [...ROLES, ...CHECKS];

const HELP = `
Prints a line for each part: ok, failed with the check that failed, or none if that instance has no such part (such as kafka with KAFKA_BROKERS=none).
Needs no key and sends none. Exit codes: 0 all parts that were asked for are ok, 1 one is not or nobody answers.

As the healthcheck of a container; the node still answers introspection while Kafka is away:
  rescind health serve
With TLS and a certificate that is for a name and not for the address:
  rescind health serve --url https://127.0.0.1:7423 --ca /etc/rescind/ca.crt --server-name rescind.example.com
`;

interface HealthOptions {
  readonly url?: string;
  readonly context?: string;
  readonly ca?: string;
  readonly serverName?: string;
}

interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly code?: string;
}

/** An answer of `/health/ready/<role>`. */
interface Report {
  readonly ready: boolean;
  readonly checks: readonly Check[];
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
    .addArgument(new Argument('[parts...]', 'the parts that count (default: all)').choices(PARTS))
    .option('--url <url>', 'the instance (default: RESCIND_URL, else the one that runs in RESCIND_HOME)')
    .option(
      '--ca <path>',
      'PEM certificates that the instance is checked against (default: the authorities that Node trusts)',
    )
    .option('--server-name <name>', 'name that the certificate must be for (default: the host of the URL)')
    .addOption(jsonOption())
    .addHelpText('after', HELP)
    .action(async (parts: readonly string[], options: HealthOptions, command: Command) => {
      const url = await findUrl(context.terminal.env, options);
      const [serve, ingest] = [await readReport(url, 'serve', options), await readReport(url, 'ingest', options)];
      const all = partsOf({ serve, ingest });
      const states = all.filter(({ part }) => parts.length === 0 || parts.includes(part));
      context.showText(command, { url, parts: states }, () =>
        formatTable(
          states.map((state) => ({ ...state })),
          ['part', 'state', 'reason'],
        ),
      );
      if (states.some(({ state }) => state === 'failed')) exitWith(1);
    });
}

function partsOf(reports: Readonly<Record<(typeof ROLES)[number], Report>>): readonly Part[] {
  const checks = ROLES.flatMap((role) => reports[role].checks);
  return [
    ...ROLES.map((role) => {
      const { ready, checks: own } = reports[role];
      // A failed check named `role` says that the process does not have that role.
      if (own.some(({ name, ok }) => name === 'role' && !ok)) return { part: role, state: 'none' as const };
      return stateOf(role, ready, own);
    }),
    ...CHECKS.map((name) => {
      const own = checks.filter((check) => check.name === name);
      return own.length === 0
        ? { part: name, state: 'none' as const }
        : stateOf(
            name,
            own.every(({ ok }) => ok),
            own.slice(0, 1),
          );
    }),
  ];
}

function stateOf(part: string, isWell: boolean, checks: readonly Check[]): Part {
  if (isWell) return { part, state: 'ok' };
  const failed = checks.filter(({ ok }) => !ok);
  const reasons = failed
    .map(({ name, code }) => (name === part ? code : code === undefined ? name : `${name}: ${code}`))
    .filter((reason) => reason !== undefined);
  return { part, state: 'failed', ...(reasons.length === 0 ? {} : { reason: reasons.join(', ') }) };
}

async function readReport(url: string, role: (typeof ROLES)[number], options: HealthOptions): Promise<Report> {
  const answer = await ask(`${url}/health/ready/${role}`, options).catch((error: unknown) => {
    throw error instanceof UsageError ? error : unreachable(url, error);
  });
  try {
    const report = JSON.parse(answer) as Report;
    if (
      typeof report.ready === 'boolean' &&
      report.checks.every(({ name, ok }) => typeof name === 'string' && typeof ok === 'boolean')
    )
      return report;
  } catch {
    // Reported below.
  }
  throw new Error(`what answers at ${url} is not Rescind`);
}

async function ask(url: string, { ca, serverName }: HealthOptions): Promise<string> {
  const isTls = url.startsWith('https:');
  if (!isTls && (ca !== undefined || serverName !== undefined))
    throw new UsageError('--ca and --server-name go with an https URL');
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
