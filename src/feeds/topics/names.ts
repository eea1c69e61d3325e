import type { TopicSettings } from '../../platform/kafka/index.js';

/** Names the topic of every control record. It is for Rescind alone: it holds tenants' keys and digests of secrets (wire.md). */
export const controlTopic = (prefix: string): string => `${prefix}.control`;
/** Names the topic of a tenant's rules as keys, for resource apps. */
export const revocationsTopic = (prefix: string, tenantName: string): string => `${prefix}.revocations.${tenantName}`;
/** Names the topic of the ledgers' signed checkpoints. */
export const checkpointsTopic = (prefix: string): string => `${prefix}.checkpoints`;
/** Transactional id of the publisher. Brokers accept records only from the process that opened it last. */
export const transactionalId = (prefix: string): string => `${prefix}.topic-feeds`;

/** Header of a record, or tombstone, in a tenant's topic: the seq of the control record that it reports, decimal. */
export const SEQ_HEADER = 'rescind-seq';

/** A control record is as large as the largest body that the management API takes, plus the data stored beside it. */
const MAX_CONTROL_MESSAGE_BYTES = 4 * 1024 * 1024;
/**
 * Age at which the broker closes a file of the control topic. Files of deleted records go whole, so records are written anew only once those that hold a
 * name lie in closed files.
 */
export const CONTROL_SEGMENT_MS = 86_400_000;
/** How long a tombstone stays after compaction. A resource app that was away for longer reads the topic from its start. */
const TOMBSTONE_KEPT_MS = 7 * 86_400_000;

export const controlTopicSettings = (prefix: string): TopicSettings => ({
  topic: controlTopic(prefix),
  partitions: 1,
  config: {
    'cleanup.policy': 'delete',
    'retention.ms': '-1',
    'retention.bytes': '-1',
    'segment.ms': String(CONTROL_SEGMENT_MS),
    'max.message.bytes': String(MAX_CONTROL_MESSAGE_BYTES),
  },
});

export const revocationsTopicSettings = (prefix: string, tenantName: string): TopicSettings => ({
  topic: revocationsTopic(prefix, tenantName),
  partitions: 1,
  config: { 'cleanup.policy': 'compact', 'delete.retention.ms': String(TOMBSTONE_KEPT_MS) },
});

/** How long every checkpoint stays before compaction leaves the last of each ledger: an older one that was written late hides none meanwhile. */
const CHECKPOINTS_KEPT_MS = 86_400_000;

export const checkpointsTopicSettings = (prefix: string): TopicSettings => ({
  topic: checkpointsTopic(prefix),
  partitions: 1,
  config: { 'cleanup.policy': 'compact', 'min.compaction.lag.ms': String(CHECKPOINTS_KEPT_MS) },
});
