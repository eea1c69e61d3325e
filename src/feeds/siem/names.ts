import type { TopicSettings } from '../../platform/kafka/index.js';

/** Names the topic of a tenant's ledger as OCSF events, for a SIEM. */
export const ocsfTopic = (prefix: string, tenantName: string): string => `${prefix}.ocsf.${tenantName}`;
/** Transactional id of the publisher. Brokers accept records only from the process that opened it last. */
export const ocsfTransactionalId = (prefix: string): string => `${prefix}.ocsf-feed`;

/** How long records stay is the broker's default: the ledger has them for ever. */
export const ocsfTopicSettings = (prefix: string, tenantName: string): TopicSettings => ({
  topic: ocsfTopic(prefix, tenantName),
  partitions: 1,
  config: { 'cleanup.policy': 'delete' },
});
