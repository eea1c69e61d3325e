import { RescindError } from '../../contracts/index.js';
import type { ControlFollower } from '../../control/index.js';
import type { LogBounds, LogBoundsReader } from '../../platform/kafka/index.js';
import type { Log } from '../../platform/log/index.js';
import type { Appender } from '../append/appender.pg.js';
import type { OffsetStore, PartitionRow } from './offsets.pg.js';
import { decide, type ResumePoint } from './partition.js';
import { OffsetLost } from '../append/submission.js';

export interface PartitionView {
  readonly topic: string;
  readonly partition: number;
  /** The first record that is not stored. */
  readonly next_offset: string;
  /** A stable code, a colon and a text for people. Null while the partition runs. */
  readonly stopped: string | null;
  /** Records that are not stored yet. Null if the broker does not answer. */
  readonly lag: string | null;
}

export interface Resumed extends PartitionView {
  /** Records that will not be read, half open. A `log.gap` entry records them. */
  readonly skipped: { readonly from_offset: string; readonly to_offset: string } | null;
}

/** The caller. `operator`: may see the partitions of every tenant. */
export interface Asker {
  readonly id: string;
  readonly tenant: string;
  readonly operator: boolean;
}

export interface Partitions {
  /** Lists partitions. A tenant sees topics that only its own sources write. Rejects with `kafka-unavailable` if there is no broker. */
  list(asker: Asker): Promise<readonly PartitionView[]>;
  /**
   * Lets a stopped partition go on; the process that has it notices within seconds. Rejects with `not-found`, with `edit-conflict` if the
   * partition is not stopped or no longer stopped, or with `invalid-request` if the log does not have that offset.
   */
  resume(
    asker: Asker,
    topic: string,
    partition: number,
    decision: { readonly at: ResumePoint; readonly reason: string },
  ): Promise<Resumed>;
}

export interface PartitionsOptions {
  readonly offsets: OffsetStore;
  readonly bounds: LogBoundsReader;
  readonly follower: ControlFollower;
  readonly appender: Appender;
  readonly log: Log;
  readonly now?: () => number;
}

export function createPartitions({
  offsets,
  bounds,
  follower,
  appender,
  log,
  now = Date.now,
}: PartitionsOptions): Partitions {
  const { state } = follower;

  const ask = async <T>(question: Promise<T>): Promise<T> => {
    try {
      return await question;
    } catch (error) {
      throw new RescindError('kafka-unavailable', { cause: error });
    }
  };

  /** Whether the asker may see the topic. If other tenants write it too, one tenant must not decide about it for them. */
  function maySee({ tenant, operator }: Asker, topic: string): boolean {
    const sources = state.sourcesOfTopic(topic);
    return operator || (sources.length > 0 && sources.every((source) => source.tenant === tenant));
  }

  const view = ({ topic, partition, next, stopped }: PartitionRow, log_: LogBounds | undefined): PartitionView => ({
    topic,
    partition,
    next_offset: String(next),
    stopped,
    lag: log_ === undefined || log_.high < next ? null : String(log_.high - next),
  });

  async function recordDecision(
    row: PartitionRow,
    next: bigint,
    skipped: { from: bigint; to: bigint } | undefined,
    reason: string,
  ): Promise<void> {
    const { cluster, topic, partition } = row;
    const source = state.sourcesOfTopic(topic)[0];
    const tenant = source && state.tenant(source.tenant);
    const timeMs = now();
    const gap = skipped && {
      topic,
      partition,
      from_offset: String(skipped.from),
      to_offset: String(skipped.to),
      reason,
    };
    await appender.submit({
      events: [],
      own:
        tenant && gap
          ? [
              {
                tenant,
                name: 'log.gap',
                id: `gap-${cluster}-${topic}-${partition}-${gap.from_offset}-${timeMs}`,
                timeMs,
                data: gap,
              },
            ]
          : [],
      offset: { cluster, topic, partition, held: row.next, next, lastOffset: null, lastSha256: null, resumes: true },
    });
  }

  return {
    async list(asker) {
      const rows = (await offsets.list(await ask(bounds.cluster()))).filter(({ topic }) => maySee(asker, topic));
      const logs = await ask(bounds.ofTopics(new Set(rows.map(({ topic }) => topic))));
      return rows.map((row) => view(row, logs.get(row.topic)?.get(row.partition)));
    },
    async resume(asker, topic, partition, { at, reason }) {
      const cluster = await ask(bounds.cluster());
      const stored = maySee(asker, topic) ? await offsets.read(cluster, topic, partition) : undefined;
      if (!stored) throw new RescindError('not-found', { detail: 'no process has ever read this partition' });
      if (stored.stopped === null) throw new RescindError('edit-conflict', { detail: 'the partition is not stopped' });
      const row = { ...stored, cluster, topic, partition };
      const found = (await ask(bounds.ofTopic(topic)))?.get(partition);
      if (!found) throw new RescindError('not-found', { detail: 'the broker does not have this partition' });
      const decision = decide(at, stored, found);
      if (!decision)
        throw new RescindError('inconsistent-request', {
          detail: `the log has the offsets ${found.low} to ${found.high}`,
        });
      const { next, skipped } = decision;
      try {
        await recordDecision(row, next, skipped, reason);
      } catch (error) {
        if (error instanceof OffsetLost)
          throw new RescindError('edit-conflict', {
            detail: 'another operator has decided about this partition; look at it again',
          });
        throw error;
      }
      log.warn({ topic, partition, next: String(next), caller: asker.id, reason }, 'a stopped partition is resumed');
      return {
        ...view({ ...row, next, stopped: null }, found),
        skipped: skipped ? { from_offset: String(skipped.from), to_offset: String(skipped.to) } : null,
      };
    },
  };
}
