import { createControlFollower, createControlLog } from '../../src/control/index.js';
import { createAppender, createOffsetStore, createPartitions, type Partitions } from '../../src/ingest/index.js';
import { createKafka } from '../../src/platform/kafka/index.js';
import { createMetrics } from '../../src/platform/observe/index.js';
import { testLog } from '../support/services.js';
import type { Deployment } from './deployment.js';

export interface Operator {
  readonly partitions: Partitions;
  readonly asker: Parameters<Partitions['list']>[0];
  /** Decides the same of every partition that is stopped; the reasons why they were. */
  resumeAll(at: Parameters<Partitions['resume']>[3]['at'], reason: string): Promise<string[]>;
  end(): Promise<void>;
}

/** Creates the operator's commands of a node with the role `ingest`. */
export async function createOperator({ url, brokers, pool, tenant }: Deployment): Promise<Operator> {
  const controlLog = createControlLog({ pool });
  const follower = createControlFollower({ url, controlLog, log: testLog(), serves: false });
  await follower.start();
  const appender = createAppender({ pool, controlLog, follower, log: testLog(), metrics: createMetrics() });
  const bounds = createKafka({ brokers, clientId: 'spec-operator', log: testLog() }).logBounds();
  const partitions = createPartitions({
    offsets: createOffsetStore({ pool }),
    bounds,
    follower,
    appender,
    log: testLog(),
  });
  const asker = { id: 'admin', tenant, operator: true };
  return {
    partitions,
    asker,
    async resumeAll(at, reason) {
      const stopped = (await partitions.list(asker)).filter((one) => one.stopped !== null);
      for (const { topic, partition } of stopped) await partitions.resume(asker, topic, partition, { at, reason });
      return stopped.map((one) => one.stopped!);
    },
    async end() {
      await bounds.stop();
      await appender.stop();
      await follower.stop();
    },
  };
}
