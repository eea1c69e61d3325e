import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import { createAsking } from './asking.js';
import { createCaller, type Caller } from './calls.js';
import { checkHistory, type Verdict } from './check-history.js';
import { deploy, type Deployment } from './deployment.js';
import { saveEvidence } from './evidence.js';
import { FAULT_KINDS, injectFaults, type Fault, type FaultKind } from './faults.js';
import { CheckLog, epochAtZero, hostClock, type History, type SentOrder } from './history.js';
import { createMinting } from './minting.js';
import { createOrders } from './orders.js';
import { createPopulation } from './population.js';
import { createRandom } from './random.js';
import { createUniverse, type Minted } from './universe.js';

/** Orders under way at a time. */
const ORDERING = 6;
const LOOK_EVERY_MS = 4_000;
/** The checks between the last order of all and the end. */
const SETTLE_MS = 1_500;

export interface RunOptions {
  /** Directory of the compiled product. */
  readonly product: string;
  readonly seed: number;
  /** The run ends when there were so many, and each kind of fault; */
  readonly checks: number;
  /** or after so long. */
  readonly maxMs: number;
  readonly leaseSeconds: number;
  readonly kinds?: readonly FaultKind[];
  /** Directory for homes, logs and evidence. */
  readonly directory: string;
  readonly onProgress?: (line: string) => void;
}

export interface RunResult {
  readonly seed: number;
  readonly seconds: number;
  readonly verdict: Verdict;
  readonly faults: Readonly<Record<FaultKind, number>>;
  /** Orders that were answered, by kind. */
  readonly orders: Readonly<Record<string, number>>;
  readonly tokens: number;
  /** Tokens, out of `tokens`, that were recorded through Kafka. */
  readonly viaKafka: number;
  /** Pipelined ones that waited for the answer before theirs. */
  readonly behind: number;
  /** Number of checks by the part that answered them. */
  readonly checksBy: Readonly<Record<string, number>>;
  readonly unavailableShare: number;
  /** Nodes that did not go in order within two minutes. */
  readonly stuck: readonly string[];
  /** Path of the file that describes the violation. */
  readonly evidence: string | undefined;
}

/** Starts everything, breaks it while it is asked, and judges what it answered. Ends with the first violation. */
export async function run(options: RunOptions): Promise<RunResult> {
  const { product, seed, leaseSeconds, directory, onProgress = () => undefined } = options;
  await mkdir(directory, { recursive: true });
  onProgress(`seed ${seed}: starting PostgreSQL, Kafka and the nodes`);
  const deployment = await deploy({ product, leaseSeconds, directory });
  try {
    return await runAgainst(deployment, options);
  } finally {
    await deployment.stop();
  }
}

async function runAgainst(
  deployment: Deployment,
  {
    product,
    seed,
    checks,
    maxMs,
    leaseSeconds,
    kinds = FAULT_KINDS,
    directory,
    onProgress = () => undefined,
  }: RunOptions,
): Promise<RunResult> {
  const startedAt = hostClock();
  const { nodes, credentials } = deployment;
  const random = createRandom(seed);
  const stopping = new AbortController();
  const faultless = new AbortController();
  const log = new CheckLog();
  const orders: SentOrder[] = [];
  const faults: Fault[] = [];
  const stuck: string[] = [];
  const counts: Record<string, number> = {};

  const population = createPopulation(random);
  const universe = createUniverse({ random, prefix: `at${seed}` });
  const caller = createCaller({ nodes, random, ended: stopping.signal });
  const minting = createMinting({
    universe,
    population,
    caller,
    random,
    authorization: `Bearer ${credentials.emitter}`,
    ended: stopping.signal,
  });
  const ordering = createOrders({
    orders,
    counts,
    universe,
    population,
    minting,
    caller,
    credentials,
    random,
    ended: stopping.signal,
  });

  const trouble = createTrouble();
  const asking = createAsking({ deployment, product, population, log, random, onTrouble: trouble.meet });
  const kafka = new Kafka({
    clientId: 'linearizability',
    brokers: [...deployment.brokers],
    logLevel: logLevel.NOTHING,
    retry: { retries: 1 },
  });
  const producer = kafka.producer({ allowAutoTopicCreation: false });

  const isRecorded = async (minted: Minted): Promise<boolean> => {
    const up = nodes.filter(({ isUp }) => isUp);
    return up.length > 0 && isRecordedBy(random.pick(up), minted, { caller, admin: credentials.admin });
  };

  try {
    await producer.connect();
    await minting.fill();
    await asking.start();

    const guarded = (work: Promise<void>): Promise<void> => work.catch((error: unknown) => trouble.meet(error));
    const breaking = guarded(
      injectFaults({
        deployment,
        guards: asking.guards,
        random,
        leaseMs: leaseSeconds * 1_000,
        kinds,
        done: faults,
        stuck,
        onFault: ({ kind, of }) => onProgress(`  ${kind} ${of}`),
        ended: faultless.signal,
      }),
    );
    const working = [
      ...Array.from({ length: ORDERING }, () => guarded(ordering.run())),
      guarded(minting.replenish()),
      guarded(minting.viaKafka({ producer, topicOf: deployment.topicOf, isRecorded })),
    ];

    const history = (from: number, to: number): History => ({
      epochAtZero: zero,
      tokens: population.tokens,
      orders,
      checks: log.between(from, to),
    });
    const zero = epochAtZero();
    // The links run in this process: what it lags behind, they add.
    const lag = monitorEventLoopDelay();
    lag.enable();
    let judged = 0;
    let written = 0;
    let found = false;
    const seen = (): boolean =>
      kinds.every((kind) => faults.some((fault) => fault.kind === kind && fault.to < Infinity));
    while (!found && hostClock() - startedAt < maxMs && !(log.length >= checks && seen())) {
      await Promise.race([delay(LOOK_EVERY_MS), trouble.met]);
      // Only checks written by the last look are judged: by now the answers to all orders before them are written too.
      const verdict = checkHistory(history(judged, written));
      [judged, written] = [written, log.length];
      found = verdict.violations.length > 0;
      onProgress(
        `${Math.round((hostClock() - startedAt) / 1000)} s: ${log.length} checks, ${orders.length} orders, ${population.liveCount} of ${population.tokens.length} tokens live, ${faults.length} faults, lag ${Math.round(lag.percentile(99) / 1e6)} ms`,
      );
      lag.reset();
    }

    faultless.abort();
    await Promise.race([breaking, trouble.met]);
    if (!found) await Promise.race([ordering.stopEverything(), trouble.met]);
    await delay(SETTLE_MS);
    stopping.abort();
    await Promise.race([Promise.all(working), trouble.met]);
    await asking.leave();

    const whole = history(0, log.length);
    const verdict = checkHistory(whole);
    const evidence = verdict.violations.length === 0 ? undefined : join(directory, `violation-${seed}.json`);
    if (evidence !== undefined)
      await saveEvidence({ path: evidence, seed, vias: asking.vias, history: whole, log, faults, verdict });
    return {
      seed,
      seconds: (hostClock() - startedAt) / 1000,
      verdict,
      faults: Object.fromEntries(
        FAULT_KINDS.map((kind) => [kind, faults.filter((fault) => fault.kind === kind).length]),
      ) as Record<FaultKind, number>,
      orders: counts,
      tokens: population.tokens.length,
      viaKafka: minting.viaKafkaCount,
      behind: log.behind,
      checksBy: countBy(log, asking.vias),
      unavailableShare: verdict.unavailable / Math.max(1, verdict.checks),
      stuck,
      evidence,
    };
  } finally {
    faultless.abort();
    stopping.abort();
    await asking.kill();
    await producer.disconnect().catch(() => undefined);
  }
}

/** Whether a node knows the token with its whole lineage. */
async function isRecordedBy(
  node: Parameters<Caller['ask']>[0],
  { sha256, events }: Minted,
  { caller, admin }: { readonly caller: Caller; readonly admin: string },
): Promise<boolean> {
  const answer = await caller.ask(node, {
    path: `/v1/tokens?sha256=${sha256}`,
    authorization: `Bearer ${admin}`,
  });
  if (answer?.status !== 200) return false;
  const { lineage } = JSON.parse(answer.text) as { readonly lineage: { readonly id_jags: readonly unknown[] } };
  return lineage.id_jags.length === events.length - 1;
}

/** The first thing that went wrong where nobody waits for it. */
function createTrouble(): { readonly met: Promise<never>; readonly meet: (error: unknown) => void } {
  let meet: (error: unknown) => void = () => undefined;
  const met = new Promise<never>((_, reject) => {
    meet = reject;
  });
  met.catch(() => undefined);
  return { met, meet };
}

function countBy(log: CheckLog, vias: readonly string[]): Record<string, number> {
  const counts = vias.map(() => 0);
  for (const { via } of log) counts[via]! += 1;
  return Object.fromEntries(vias.map((name, via) => [name, counts[via]!]));
}
