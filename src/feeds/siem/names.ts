import type { TopicSettings } from '../../platform/kafka/index.js';

/** Names the topic of a tenant's ledger as OCSF events, for a SIEM. */
export const ocsfTopic = (prefix: string, tenantName: string): string => `${prefix}.ocsf.${tenantName}`;
export const ocsfTransactionalId = (prefix: string): string => `${prefix}.ocsf-feed`;

/** Names the topic of the news of a tenant's findings. */
export const findingsTopic = (prefix: string, tenantName: string): string => `${prefix}.findings.${tenantName}`;
export const findingsTransactionalId = (prefix: string): string => `${prefix}.findings-feed`;

/** One partition keeps the order. How long records stay is the broker's default. */
export const inOrder = (topic: string): TopicSettings => ({
  topic,
  partitions: 1,
  config: { 'cleanup.policy': 'delete' },
});
