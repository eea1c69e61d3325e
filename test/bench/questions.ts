import { setTimeout as delay } from 'node:timers/promises';
import { createControlFollower, createControlLog } from '../../src/control/index.js';
import { createOpenFindings } from '../../src/findings/index.js';
import { createHttpApp, listenHttp } from '../../src/platform/http/index.js';
import { createLog } from '../../src/platform/log/index.js';
import { createPool } from '../../src/platform/postgres/index.js';
import { ENTITY_KINDS } from '../../src/projections/index.js';
import { createQuestions, createReader, QueryModule } from '../../src/query/index.js';
import { createAuthenticator, createIdentify, createRegistry, RegistryModule } from '../../src/registry/index.js';
import { explain, overheard, type Sent } from './plans.pg.js';
import { questionsOf, type BenchQuestion, type Known } from './questions-list.js';
import { startSeeded, type QuestionsService, type Size } from './questions-service.js';
import { median, quantile, type Row } from './report.js';
import { readTo } from './world.js';

const ARRIVING = Number(process.env['BENCH_RATE'] ?? 5_000);
const READERS = 4;
/** `BENCH_ONLY`: a pattern that selects questions by name; unset, the bench asks them all. */
const ONLY = new RegExp(process.env['BENCH_ONLY'] ?? '');
/** Measurements of each question at each moment. */
const SAMPLES = Number(process.env['BENCH_SAMPLES'] ?? 40);
/** Measurements at the beginning that are not counted: they fill plans and pages that a service in use already has. */
const WARM = 4;
const PAST = 0.8;
const PAST_GOAL_MS = 400;
const PRESENT_GOAL_MS = 100;
const DAY_S = 86_400;
const POLL_MS = 50;
/** Ten times the events are ninety days of the same organisation, where the smaller size is nine. */
const MILLION: Size = { events: 1_000_000, days: 9 };

const say = (line: string): void => console.error(line);

/** BENCH_EVENTS: the larger of two sizes, its tenth being the other. Without it a million events alone. */
function sizes(): readonly Size[] {
  const events = Number(process.env['BENCH_EVENTS'] ?? 0);
  if (events === 0) return [MILLION];
  return [
    { events: events / 10, days: 9 },
    { events, days: 90 },
  ];
}

interface Measured {
  readonly question: BenchQuestion;
  readonly past: boolean;
  readonly path: string;
  readonly p50: number;
  readonly p95: number;
}

interface Run {
  readonly size: Size;
  readonly entries: number;
  readonly rate: number;
  readonly floor: number;
  readonly measured: readonly Measured[];
  readonly walked: string;
}

/** Every question over HTTP, now and as of 80 %, by four readers at a time, while events arrive. */
export async function run(): Promise<readonly Row[]> {
  const runs: Run[] = [];
  for (const size of sizes()) runs.push(await measure(size));
  return runs.flatMap((one, at) => rowsOf(one, runs[at - 1]));
}

async function measure(size: Size): Promise<Run> {
  const service = await startSeeded(size, say);
  try {
    const { rows } = await service.pool.query<{ n: string }>(
      'SELECT next_ix AS n FROM ledger_head ORDER BY next_ix DESC LIMIT 1',
    );
    const entries = Number(rows[0]!.n);
    while ((await readTo(service.pool)) < entries) await delay(POLL_MS);
    const arrivals = await service.arrivals(ARRIVING);
    const floors: number[] = [];
    const measured: Measured[] = [];
    let rate = 0;
    try {
      const before = Math.floor(entries * PAST);
      const now = Math.floor(Date.now() / 1000);
      const then = await arrivalOf(service, before);
      for (const question of questionsOf(service.organisation, await knownAt(service, before)).filter(({ name }) =>
        ONLY.test(name),
      )) {
        measured.push(await readers(service, question, false, (nth) => question.path(nth, now - DAY_S), floors));
        if (question.presentOnly) continue;
        // Another moment each time: of one that was asked before, a process remembers sums.
        const asOf = (path: string, nth: number): string =>
          `${path}${path.includes('?') ? '&' : '?'}${question.moment ?? 'as_of'}=${before + nth}`;
        measured.push(
          await readers(service, question, true, (nth) => asOf(question.path(nth, then - DAY_S), nth), floors),
        );
      }
    } finally {
      rate = await arrivals.stop();
    }
    const walked = await walk(service, worstOf(measured));
    return { size, entries, rate, floor: median(floors), measured, walked };
  } finally {
    await service.stop();
  }
}

/** Number of names of each kind; the first that came, so busy and quiet ones alike. */
const KNOWN = 400;

async function knownAt({ pool, organisation }: QuestionsService, index: number): Promise<Known> {
  const users = await pool.query<{ id: number; sub: string }>(
    `SELECT id, parts->>2 AS sub FROM entity WHERE kind = $1 AND parts->>0 = $2 AND from_ix < $3 ORDER BY id LIMIT ${KNOWN}`,
    [ENTITY_KINDS.user, organisation.idp.issuer, index],
  );
  const tokens = await pool.query<{ key: Buffer }>(`SELECT key FROM token WHERE ix < $1 ORDER BY ix LIMIT ${KNOWN}`, [
    index,
  ]);
  const rules = await pool.query<{ rule: string }>(
    `SELECT rule FROM rule_version WHERE from_ix < $1 ORDER BY from_ix LIMIT ${KNOWN}`,
    [index],
  );
  const found = await pool.query<{ id: number }>(
    `SELECT DISTINCT e.id FROM finding f JOIN entity e ON e.tenant = f.tenant AND e.id IN (f.usr, f.client, f.agent, f.res)
     WHERE f.closed_ms IS NULL AND e.from_ix < $1 ORDER BY e.id LIMIT ${KNOWN}`,
    [index],
  );
  return {
    found: found.rows.map(({ id }) => id),
    users: users.rows.map(({ sub }) => sub),
    entities: users.rows.map(({ id }) => id),
    tokens: tokens.rows.map(({ key }) => key.toString('base64url')),
    rules: rules.rows.map(({ rule }) => rule),
  };
}

async function arrivalOf({ pool }: QuestionsService, index: number): Promise<number> {
  const { rows } = await pool.query<{ s: string }>(
    'SELECT arrival / 1000 AS s FROM entry WHERE ix = $1 ORDER BY tenant LIMIT 1',
    [index],
  );
  return Number(rows[0]!.s);
}

async function readers(
  service: QuestionsService,
  question: BenchQuestion,
  past: boolean,
  path: (nth: number) => string,
  floors: number[],
): Promise<Measured> {
  const took: number[] = [];
  let slowest = { ms: 0, path: '' };
  let next = 0;
  const read = async (): Promise<void> => {
    while (next < SAMPLES + WARM) {
      const nth = next++;
      const asked = path(nth);
      const startedAt = performance.now();
      const response = await fetch(`${service.url}${asked}`, { headers: { authorization: `Bearer ${service.key}` } });
      const text = await response.text();
      const ms = performance.now() - startedAt;
      if (response.status !== 200) throw new Error(`${asked}: ${response.status} ${text.slice(0, 300)}`);
      if (nth < WARM) continue;
      took.push(ms);
      if (ms > slowest.ms) slowest = { ms, path: asked };
      if (nth % 4 === 0) floors.push(await floor(service));
    }
  };
  await Promise.all(Array.from({ length: Math.min(READERS, question.atOnce ?? READERS) }, read));
  const measured = { question, past, path: slowest.path, p50: median(took), p95: quantile(took, 0.95) };
  say(
    `${question.name}${past ? ', as of 80 %' : ''}: p50 ${measured.p50.toFixed(1)}, p95 ${measured.p95.toFixed(1)} ms`,
  );
  return measured;
}

/** A round trip to the database and back, in the same load. */
async function floor({ pool }: QuestionsService): Promise<number> {
  const startedAt = performance.now();
  await pool.query('SELECT 1');
  return performance.now() - startedAt;
}

/** Both goals count: the worst is what comes nearest to its own, or is furthest over. */
const shareOfGoal = ({ past, p95 }: Measured): number => p95 / (past ? PAST_GOAL_MS : PRESENT_GOAL_MS);
const worstOf = (measured: readonly Measured[]): Measured =>
  measured.reduce((worst, one) => (shareOfGoal(one) > shareOfGoal(worst) ? one : worst));

/** Describes the rows that the statements of the worst question read and returned. */
async function walk(service: QuestionsService, worst: Measured): Promise<string> {
  const heard: Sent[] = [];
  const pool = createPool({ url: service.databaseUrl, max: 2, applicationName: 'bench-plans' });
  const log = createLog({ level: 'error' });
  const controlLog = createControlLog({ pool });
  const follower = createControlFollower({ url: service.databaseUrl, controlLog, log, serves: false });
  await follower.start();
  const state = () => follower.state;
  const questions = createQuestions({
    pool: overheard(pool, (sent) => heard.push(sent)),
    control: state,
    openFindings: createOpenFindings({ reader: createReader(state) }),
  });
  const registry = RegistryModule.with({
    registry: createRegistry({ controlLog, follower }),
    identify: createIdentify(createAuthenticator({ state })),
  });
  const listen = { host: '127.0.0.1', port: 0, trustedProxy: false };
  const app = await createHttpApp({ module: { ...QueryModule.with({ questions }), imports: [registry] }, listen, log });
  try {
    const url = await listenHttp(app, listen);
    await (await fetch(`${url}${worst.path}`, { headers: { authorization: `Bearer ${service.key}` } })).text();
    const walked = [];
    for (const sent of heard.filter(({ text }) => /^\s*(?:--.*\n\s*)*(?:WITH|SELECT)\b/i.test(text)))
      walked.push(await explain(pool, sent));
    walked.sort((one, other) => other.ms - one.ms);
    return walked
      .slice(0, 3)
      .map(
        ({ read, returned, ms }) =>
          `${read.toLocaleString('en')} read, ${returned.toLocaleString('en')} returned in ${ms.toFixed(1)} ms`,
      )
      .join('; ');
  } finally {
    await app.close();
    await follower.stop();
    await pool.end();
  }
}

function rowsOf({ size, entries, rate, floor: bare, measured, walked }: Run, smaller: Run | undefined): Row[] {
  const label = size.events >= 1_000_000 ? `${size.events / 1_000_000}m` : `${size.events / 1_000}k`;
  const rows = measured.map((one): Row => {
    const before = smaller?.measured.find(
      ({ question, past }) => question.name === one.question.name && past === one.past,
    );
    const growth = before ? `; ${(one.p95 / before.p95).toFixed(2)} × a tenth of the events` : '';
    return {
      name: `questions.${label} ${one.question.name}${one.past ? ', as of 80 %' : ''}`,
      value: one.p95,
      unit: 'ms',
      floor: bare,
      ratio: one.p95 / bare,
      p50: one.p50,
      p95: one.p95,
      events: entries,
      note: `p95 of ${SAMPLES}; goal ${one.past ? PAST_GOAL_MS : PRESENT_GOAL_MS}${growth}`,
    };
  });
  const worst = worstOf(measured);
  const grown = smaller && shareOfGoal(worst) / shareOfGoal(worstOf(smaller.measured));
  const growth = grown === undefined ? '' : `; growth ${grown.toFixed(2)} × for ten times the events`;
  const load = `${entries.toLocaleString('en')} entries in ${size.days} days; ${READERS} readers; ${Math.round(rate).toLocaleString('en')} of ${ARRIVING.toLocaleString('en')} events/s arrived; floor: SELECT 1 in that load`;
  rows.push({
    name: 'questions.worst',
    value: worst.p95,
    unit: 'ms',
    floor: bare,
    ratio: worst.p95 / bare,
    p50: worst.p50,
    p95: worst.p95,
    events: entries,
    ...(grown === undefined ? {} : { growth: grown }),
    note: `${worst.question.name}${worst.past ? ', as of 80 %' : ''}, p95${growth}; ${load}; its statements: rows ${walked}`,
  });
  return rows;
}
