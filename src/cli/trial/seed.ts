import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Found, Seeded } from '../../seed/index.js';
import { cloneOnly } from '../clone-only.js';
import { jsonOption, type Context } from '../context.js';
import { summaryText } from '../findings/findings.js';
import { readSeconds } from '../option-values.js';
import { createProgress } from '../progress.js';
import { describeVariables, type Variables } from '../operate/serve.js';
import { UsageError } from '../terminal.js';

interface SeedCommandOptions {
  readonly events: number;
  readonly days?: number;
  readonly seed?: string;
  readonly end?: string;
  readonly tenant?: string;
  readonly databaseUrl?: string;
}

const EXAMPLES = `
Examples:
  rescind seed --events 1000000 --days 9     the same organisation at the same pace as ten million in ninety days
  rescind seed --events 50000 --tenant acme  beside what is there: a tenant of its own, its administrator's key in <RESCIND_HOME>/acme-admin-key
  rescind serve                              then ask the questions that the seed printed with each incident

Stop the service first if it uses the embedded PostgreSQL: one process at a time may use it.
Give a URL with a password in DATABASE_URL: ps shows options to everybody on the machine.`;

export function addSeed(program: Command, context: Context, variables: Variables): void {
  program
    .command('seed')
    .description(
      'fill an empty ledger with a made-up organisation: users, clients, agents, ninety days of work, ten incidents (in a clone of the repository)',
    )
    .requiredOption('--events <n>', 'number of events, such as 1000000', wholeNumber)
    .option('--days <n>', 'number of days that they cover, at least 9 (default 90)', wholeNumber)
    .option('--seed <text>', 'seed of the random choices: the same text gives the same history (default rescind)')
    .option('--end <time>', 'end of the history, rounded down to the hour (default: now)')
    .option('--tenant <name>', 'a new tenant to put it into (default: the tenant default, whose ledger must be empty)')
    .option('--database-url <url>', 'the PostgreSQL to use (default: DATABASE_URL, else the embedded one)')
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .addHelpText('after', describeVariables(variables))
    .action(async (options: SeedCommandOptions, command: Command) => {
      const [{ MIN_DAYS, runSeed }, { createLog }, { readConfig }] = await Promise.all([
        cloneOnly(import('../../seed/index.js')),
        import('../../platform/log/index.js'),
        import('../../platform/config/index.js'),
      ]);
      if (options.days !== undefined && options.days < MIN_DAYS)
        throw new UsageError(`--days is at least ${MIN_DAYS}: the incidents lie in the last week`);
      const end = readSeconds('--end', options.end);
      const env: Record<string, string | undefined> = {
        ...context.terminal.env,
        ...(options.databaseUrl === undefined ? {} : { DATABASE_URL: options.databaseUrl }),
      };
      const config = readConfig(env);
      const log = createLog({ level: env['LOG_LEVEL'] === undefined ? 'error' : config.logLevel });
      const { days, seed, tenant, events } = options;
      const told = Object.fromEntries(
        Object.entries({ days, seed, tenant, end }).filter(([, value]) => value !== undefined),
      );
      const progress = createProgress(context.terminal.err);
      const seeded = await runSeed({
        config,
        log,
        events,
        ...told,
        onFinding: () => {
          progress.end();
          context.terminal.err.write('Looking for findings …\n');
        },
        onProgress: (progressed) =>
          progress.show({
            done: BigInt(progressed.sent),
            total: BigInt(progressed.events),
            note: new Date(progressed.at * 1000).toISOString().slice(0, 10),
          }),
      });
      const keyPath = await keepKey(config.home, seeded);
      if (command.optsWithGlobals<{ json?: boolean }>().json === true)
        context.terminal.out.write(`${JSON.stringify(summaryOf(seeded))}\n`);
      else context.terminal.out.write(describe(seeded, keyPath));
    });
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new UsageError(`a whole number above 0, not ${text}`);
  return Number(text);
}

const grouped = (count: number): string => count.toLocaleString('en');
const duration = (seconds: number): string =>
  seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;

/** Writes the administrator's key of a new tenant to a file that only its owner can read, and returns the file's path. */
async function keepKey(home: string, { tenant, adminKey }: Seeded): Promise<string | undefined> {
  if (adminKey === undefined) return undefined;
  const path = join(home, `${tenant}-admin-key`);
  await writeFile(path, `${adminKey}\n`, { mode: 0o600 });
  await chmod(path, 0o600);
  return path;
}

type SeededAndFound = Seeded & { readonly found: Found };

const day = (at: number): string => new Date(at * 1000).toISOString().slice(0, 16).replace('T', ' ');

function describe(seeded: SeededAndFound, keyPath: string | undefined): string {
  const { found, tenant, organisation, start, end, sent, duplicates, entries, seconds, pace, incidents } = seeded;
  const agents = organisation.clients.filter(({ agent }) => agent).length;
  const lines = [
    `${grouped(sent)} events in ${duration(seconds)}, ${grouped(Math.round(sent / seconds))}/s: ${grouped(entries)} entries in the ledger of the tenant ${tenant}, ${grouped(duplicates)} sent twice`,
    `  ${grouped(organisation.users.length)} users, ${organisation.clients.length} clients of which ${agents} are agents, ${organisation.apps.length} resource applications; ${day(start)} to ${day(end)} UTC`,
    `  made ${pace.made.toFixed(1)} s, judged ${pace.judged.toFixed(1)} s, written ${pace.written.toFixed(1)} s (of which ${pace.waited.toFixed(1)} s nothing else was done)`,
    ...(keyPath === undefined ? [] : [`  the key of its administrator lies in ${keyPath}; only its owner can read it`]),
    '',
    'Incidents, and what to ask first (rescind serve, then curl with the bearer key):',
    ...incidents.flatMap(({ name, happened, answers }) => [`  ${name}: ${happened}`, `    GET ${answers[0]!.path}`]),
    '',
    ...describeFound(found, keyPath),
  ];
  return `${lines.join('\n')}\n`;
}

/** Lists what the detections found as `rescind findings` prints it: the worst, and how many there are. */
function describeFound({ bySeverity, first }: Found, keyPath: string | undefined): readonly string[] {
  const counts = Object.entries(bySeverity).filter(([, count]) => count > 0);
  if (counts.length === 0) return ['The detections found nothing.'];
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  const all = keyPath === undefined ? 'rescind findings' : `RESCIND_KEY="$(cat ${keyPath})" rescind findings`;
  return [
    `The detections found ${grouped(total)}: ${counts
      .map(([severity, count]) => `${grouped(count)} ${severity}`)
      .toReversed()
      .join(', ')}.${first.length < total ? ` The worst ${first.length}:` : ''}`,
    '',
    ...first.map(summaryText),
    `All of them, beside \`rescind serve\`: ${all}`,
  ];
}

function summaryOf(seeded: SeededAndFound): object {
  const { tenant, start, end, sent, duplicates, entries, seconds, pace, incidents, found } = seeded;
  const findings = { by_severity: found.bySeverity, first: found.first };
  return { tenant, start, end, sent, duplicates, entries, seconds, pace, incidents, findings };
}
