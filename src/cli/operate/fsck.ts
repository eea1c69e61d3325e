import type { Command } from 'commander';
import type { LedgerReport, ServedReport } from '../../fsck/index.js';
import { jsonOption, type Context } from '../context.js';
import { EXIT } from '../exit-codes.js';
import { collect, keyReader, readInput } from '../option-values.js';
import { printable } from '../output.js';
import { createProgress } from '../progress.js';
import { checkUrl, keyedUrl } from '../settings.js';
import { UsageError } from '../terminal.js';
import { describeVariables, type Variables } from './serve.js';

const EXAMPLES = `
With a URL it walks a served log (C2SP tlog-tiles) over HTTP: it recomputes each leaf, tile and the root that the checkpoint signs. Without one it works
on the database, LEDGER_DIR and, with KAFKA_BROKERS, the topic of checkpoints of the service's environment, beside a running service or without one. It changes
nothing.
Exit codes: 0 all is as it must be, 1 something is wrong or cannot be read, 2 wrongly called.

Examples:
  rescind fsck https://log.example.com/ledger/0192f0c1-7d3e-7a10-9c55-3f1f2b8f4b01/ --key 'log.example.com/…+a3e2457c+AQ…' --bearer key-file
  rescind fsck
  rescind fsck --tenant 0192f0c1-7d3e-7a10-9c55-3f1f2b8f4b01 --json
`;

/** Connections that the check uses. */
const CONNECTIONS = 2;
/** One statement may count all keys of a large ledger. */
const STATEMENT_MS = 30 * 60_000;

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

interface Options {
  readonly key?: string;
  readonly bearer?: string;
  readonly witness?: readonly string[];
  readonly tenant?: string;
  readonly json?: boolean;
}

type Progress = ReturnType<typeof createProgress>;

export function addFsck(
  program: Command,
  context: Context,
  variables: Variables,
  exitWith: (code: number) => void,
): void {
  program
    .command('fsck')
    .argument('[url]', 'a served log, …/ledger/<tenant>/ (default: the database)')
    .description('check a served ledger, or the database, by recomputing everything; changes nothing')
    .option(
      '--key <vkey>',
      "the ledger's verifier key, as its owner gave it (default: the keys that the log lists itself)",
    )
    .option(
      '--witness <vkey>',
      'verifier key of a witness whose cosignatures are checked; may be repeated (in the database, also those that WITNESSES names)',
      collect,
    )
    .option('--bearer <file>', 'file with the key that the log wants for its tiles; `-` is standard input')
    .option('--tenant <id>', 'in the database: the ledger of this tenant alone')
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES + describeVariables(variables))
    .action(async (url: string | undefined, options: Options) => {
      const { err, out } = context.terminal;
      const progress = err.isTTY === true ? createProgress(err) : undefined;
      const startedAt = performance.now();
      try {
        const check = url === undefined ? checkDatabase : checkServed;
        const answer = await check(context, url ?? '', options, progress);
        progress?.end();
        const seconds = (performance.now() - startedAt) / 1_000;
        out.write(
          options.json === true
            ? `${JSON.stringify({ ok: answer.ok, ...answer.json(seconds), not_covered: answer.notCovered })}\n`
            : `${[...answer.lines(seconds), `Not covered: ${answer.notCovered.join('; ')}.`].map(printable).join('\n')}\n`,
        );
        if (!answer.ok) exitWith(EXIT.failed[0]);
      } finally {
        progress?.end();
      }
    });
}

interface Answer {
  readonly ok: boolean;
  readonly notCovered: readonly string[];
  json(seconds: number): object;
  lines(seconds: number): readonly string[];
}

async function checkServed(
  context: Context,
  text: string,
  options: Options,
  progress: Progress | undefined,
): Promise<Answer> {
  if (options.tenant !== undefined) throw new UsageError('--tenant is for the database: a URL names its tenant itself');
  const [{ checkServed: check, SERVED_NOT_COVERED }, { parseVerifierKey }] = await Promise.all([
    import('../../fsck/index.js'),
    import('../../merkle/index.js'),
  ]);
  const bearer = options.bearer === undefined ? undefined : (await readInput(options.bearer, context.terminal)).trim();
  if (bearer !== undefined && !/^[!-~]+$/.test(bearer)) throw new UsageError('--bearer names a file that holds no key');
  const url = `${bearer === undefined ? checkUrl(text) : keyedUrl(text)}/`;
  const report = await check({
    url,
    bearer,
    ...readKeys(options, keyReader(parseVerifierKey)),
    onProgress: progress && ((done) => progress.show({ ...done, unit: 'entries' })),
  });
  return {
    ok: report.wrong === undefined,
    notCovered: SERVED_NOT_COVERED,
    json: (seconds) => servedJson(report, seconds),
    lines: (seconds) => servedLines(report, seconds),
  };
}

const readKeys = ({ key, witness = [] }: Options, read: ReturnType<typeof keyReader>) => ({
  key: key === undefined ? undefined : read('--key', key, 'ed25519'),
  witnesses: witness.map((text) => read('--witness', text, 'cosignature')),
});

const rateOf = (entries: bigint, seconds: number): number => Math.round(Number(entries) / Math.max(seconds, 0.001));

function servedJson(
  { checkpoint, keys, keyFrom, witnessed, entries, tiles, wrong }: ServedReport,
  seconds: number,
): object {
  return {
    checkpoint: checkpoint
      ? { origin: checkpoint.origin, size: String(checkpoint.size), root: checkpoint.root.toString('base64') }
      : null,
    keys,
    key_from: keyFrom,
    witnessed: witnessed ? { size: String(witnessed.size), by: witnessed.by } : null,
    entries: String(entries),
    tiles,
    seconds: Math.round(seconds * 10) / 10,
    entries_per_second: rateOf(entries, seconds),
    wrong: wrong ?? null,
  };
}

function servedLines(
  { checkpoint, keys, keyFrom, witnessed, entries, tiles, wrong }: ServedReport,
  seconds: number,
): string[] {
  return [
    ...(checkpoint ? [`${checkpoint.origin}, ${count(checkpoint.size)} entries, signed by ${keys.join(', ')}`] : []),
    ...(keyFrom === 'log'
      ? ['The key came from the log itself: it shows that the log agrees with itself, not whose it is. Give --key.']
      : []),
    ...(witnessed && witnessed.by.length > 0
      ? [`${count(witnessed.size)} entries are cosigned by ${witnessed.by.join(', ')}`]
      : []),
    sumOf(entries, tiles, seconds),
    wrong ? `Wrong: ${wrong.place}: ${wrong.problem}` : 'Every entry, tile and the root are as the checkpoint says.',
  ];
}

const count = (n: bigint | number): string => n.toLocaleString('en-US');

const sumOf = (entries: bigint, tiles: number, seconds: number): string =>
  `${count(entries)} entries, ${count(tiles)} tiles, ${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s, ${count(rateOf(entries, seconds))} entries/s`;

async function checkDatabase(
  context: Context,
  _url: string,
  options: Options,
  progress: Progress | undefined,
): Promise<Answer> {
  if (options.bearer !== undefined) throw new UsageError('--bearer is for a URL');
  if (options.tenant !== undefined && !UUID.test(options.tenant))
    throw new UsageError('--tenant is the id of a tenant');
  const [
    { checkDatabase: check, DATABASE_NOT_COVERED },
    { parseVerifierKey },
    { onDatabase },
    { createLog },
    { readConfig },
    { createKafka },
    { createCheckpointTopic },
    { readWitnessFile },
  ] = await Promise.all([
    import('../../fsck/index.js'),
    import('../../merkle/index.js'),
    import('./rebuild-from-ledger.js'),
    import('../../platform/log/index.js'),
    import('../../platform/config/index.js'),
    import('../../platform/kafka/index.js'),
    import('../../feeds/index.js'),
    import('../../log/index.js'),
  ]);
  const { key, witnesses } = readKeys(options, keyReader(parseVerifierKey));
  if (key !== undefined && options.tenant === undefined)
    throw new UsageError('--key is the verifier key of one ledger: name its tenant with --tenant');
  const config = readConfig(context.terminal.env);
  const log = createLog({ level: config.logLevel });
  const timeouts = { statementMs: STATEMENT_MS, transactionMs: STATEMENT_MS };
  // A Kafka of the service's own may not run, and a check starts none.
  const servers = typeof config.kafka === 'string' ? undefined : config.kafka;
  const topic =
    servers &&
    createCheckpointTopic({
      kafka: createKafka({ ...servers, clientId: 'rescind-fsck', log }),
      prefix: config.topicPrefix,
    });
  const reports = await onDatabase(config, { log, max: CONNECTIONS, timeouts }, ({ pool, lifecycle }) => {
    if (topic) lifecycle.onStop('topic of checkpoints', () => topic.stop());
    return check({
      pool,
      ledgerDir: config.ledgerDir,
      topic,
      witnesses: [...witnesses, ...readWitnessFile(config.witnessesFile).map((witness) => witness.key)],
      tenant: options.tenant,
      publicKey: key?.publicKey,
      onProgress: progress && ((done) => progress.show({ ...done, unit: 'entries' })),
    });
  });
  return {
    ok: reports.every(({ wrong }) => wrong.length === 0),
    notCovered: [
      ...DATABASE_NOT_COVERED,
      ...(topic ? [] : ['the topic of checkpoints: KAFKA_BROKERS names no brokers']),
    ],
    json: (seconds) => databaseJson(reports, seconds),
    lines: (seconds) => databaseLines(reports, seconds),
  };
}

const sum = (reports: readonly LedgerReport[], of: (report: LedgerReport) => bigint | number): bigint =>
  reports.reduce((all, report) => all + BigInt(of(report)), 0n);

function databaseJson(reports: readonly LedgerReport[], seconds: number): object {
  const entries = sum(reports, (report) => report.entries);
  return {
    ledgers: reports.map((report) => ({ ...report, entries: String(report.entries) })),
    entries: String(entries),
    seconds: Math.round(seconds * 10) / 10,
    entries_per_second: rateOf(entries, seconds),
  };
}

function databaseLines(reports: readonly LedgerReport[], seconds: number): string[] {
  const entries = sum(reports, (report) => report.entries);
  const lines = reports.flatMap(({ tenant, entries: own, wrong, ...sums }) => [
    `${tenant}: ${count(own)} entries, ${count(sums.erased)} of them erased, ${count(sums.checkpoints)} checkpoints, ` +
      `${count(sums.cosignatures)} cosignatures, ${count(sums.rules)} rules, ${count(sums.lifts)} lifts`,
    ...wrong.map(
      ({ place, problem, count: all }) =>
        `  Wrong: ${place}: ${problem}${all > 1 ? ` (the first of ${count(all)})` : ''}`,
    ),
  ]);
  const isSound = reports.every(({ wrong }) => wrong.length === 0);
  return [
    ...lines,
    sumOf(entries, Number(sum(reports, ({ tiles }) => tiles)), seconds),
    ...(isSound ? ['Everything agrees.'] : []),
  ];
}
