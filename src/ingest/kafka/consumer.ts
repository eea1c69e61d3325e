import type { ControlFollower } from '../../control/index.js';
import type { GroupMember, Kafka, KafkaAdmin } from '../../platform/kafka/index.js';
import type { Log } from '../../platform/log/index.js';
import type { Metrics } from '../../platform/observe/index.js';
import type { Appender } from '../append/appender.pg.js';
import type { RuleQuota } from '../append/rule-quota.js';
import { AssignedPartition, type PartitionParts } from './assigned-partition.js';
import { createLagWatch } from './lag.js';
import type { OffsetStore } from './offsets.pg.js';
import type { SignatureChecks } from '../signed/signature-checks.js';
import { Subscription } from './subscription.js';

/** How often a stopped partition is checked for an operator's decision. */
const DECISION_MS = 2_000;

export interface KafkaConsumer {
  start(): Promise<void>;
  /** Names missing topics and stopped partitions for `/health/ready`. */
  notReadyReason(): string | undefined;
  /** Resolves when handed-over records are durable and the group is left, so that the partitions' next consumer begins behind them. */
  stop(): Promise<void>;
}

export interface KafkaConsumerOptions {
  readonly kafka: Kafka;
  /** The same for all processes of a deployment, and different for each deployment. */
  readonly groupId: string;
  readonly follower: ControlFollower;
  readonly appender: Appender;
  readonly ruleQuota: RuleQuota;
  readonly signatures: SignatureChecks;
  readonly offsets: OffsetStore;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly now?: () => number;
}

/** Reads the topics of all sources, each partition as an {@link AssignedPartition}. */
export function createKafkaConsumer(options: KafkaConsumerOptions): KafkaConsumer {
  const { kafka, groupId, follower, log, metrics, now = Date.now } = options;
  const { state } = follower;
  /** Partitions by name: those assigned to the present member, and released ones that may come back to it. */
  const partitions = new Map<string, AssignedPartition>();
  const bounds = kafka.logBounds();
  const lag = createLagWatch({ bounds, state, log, metrics });
  const unreadables = metrics.counter(
    'rescind_ingest_unreadable_total',
    'Record sets that cannot be read; skipped with a gap in the ledger, or their partition is stopped.',
    ['topic', 'problem'],
  );
  const stopped = (): AssignedPartition[] => [...partitions.values()].filter(({ isStopped }) => isStopped);
  metrics.gauge(
    'rescind_ingest_kafka_stopped',
    'Partitions that an operator must decide about.',
    [],
    () => stopped().length,
  );
  let admin: KafkaAdmin | undefined;
  let subscription: Subscription | undefined;
  let deciding: NodeJS.Timeout | undefined;

  function release(): void {
    for (const partition of partitions.values()) partition.release();
    lag.forget();
  }

  function assign(
    parts: Omit<PartitionParts, 'member'>,
    member: GroupMember,
    assignment: Readonly<Record<string, readonly number[]>>,
  ): void {
    release();
    for (const [topic, numbers] of Object.entries(assignment)) {
      for (const number of numbers) {
        const name = nameOf(topic, number);
        partitions.set(name, new AssignedPartition({ ...parts, member }, topic, number, partitions.get(name)));
      }
    }
  }

  async function takeDecisions(): Promise<void> {
    for (const partition of stopped()) await partition.takeDecision();
  }

  return {
    async start() {
      admin = await kafka.connectAdmin();
      const cluster = await admin.clusterId();
      const parts = { ...options, cluster, state, bounds, lag, unreadables, now };
      lag.start();
      deciding = setInterval(() => {
        takeDecisions().catch((error: unknown) =>
          log.warn({ err: error }, 'cannot read decisions on stopped partitions; retrying'),
        );
      }, DECISION_MS);
      deciding.unref();
      const subscribed = (subscription = new Subscription({
        kafka,
        admin,
        groupId,
        log,
        wantedTopics: () => [...state.sources()].filter(({ disabled }) => !disabled).map(({ topic }) => topic),
        onAssigned: (member, assignment) => assign(parts, member, assignment),
        take: async (batch) => partitions.get(nameOf(batch.topic, batch.partition))?.take(batch),
        async onLeave() {
          release();
          await Promise.all([...partitions.values()].map(({ settled }) => settled));
          partitions.clear();
        },
      }));
      follower.onApplied((records) => {
        if (records.some(({ kind }) => kind === 'source.changed')) void subscribed.renew();
      });
      await subscribed.renew();
    },
    notReadyReason() {
      const names = stopped().map(({ name }) => name);
      return names.length > 0 ? `stopped partitions: ${names.join(', ')}` : subscription?.notReadyReason();
    },
    async stop() {
      subscription?.end();
      release();
      clearInterval(deciding);
      await lag.stop();
      await subscription?.stop();
      await bounds.stop();
      await admin?.close();
    },
  };
}

const nameOf = (topic: string, partition: number): string => `${topic}/${partition}`;
