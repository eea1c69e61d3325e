export { accept, contentOf, type Accepted, type Arrived, type Rejected } from './accept/accept.js';
export { createAppender, type Appender, type AppenderOptions } from './append/appender.pg.js';
export { IngestModule, type IngestParts } from './ingest.module.js';
export { createDoor, type Door, type DoorBounds } from './post/door.js';
export { createIntake, type Intake } from './post/intake.js';
export { createPublication, type Publication } from './post/published.pg.js';
export { createPartitions, type Partitions } from './kafka/partitions.js';
export { createKafkaConsumer, type KafkaConsumer } from './kafka/consumer.js';
export { createOffsetStore, type OffsetStore } from './kafka/offsets.pg.js';
export {
  keepQuarantineBounded,
  trimQuarantine,
  type BoundedQuarantine,
  type QuarantineBounds,
} from './append/quarantine.pg.js';
export { createSignatures } from './signatures.js';
export type { SignatureChecks } from './signed/signature-checks.js';
export { createReplay, type Replay } from './quarantine/quarantine-replay.pg.js';
export { createQuarantineTopic, QUARANTINE_TOPIC, type QuarantineTopic } from './quarantine/quarantine-topic.js';
export { makeTopic } from './kafka/topic-maker.js';
export { IngestSchema } from './migrations/1796000003000-schema.js';
export { prepareOwnEvent, type OwnEvent } from './append/own-events.js';
export { createOwnTeller, type Told } from './own-teller.js';
export { createSeenTokenRecorder, type SeenToken } from './seen-tokens.js';
export { createRuleQuota, type RuleQuota, type RuleQuotaBounds } from './append/rule-quota.js';
