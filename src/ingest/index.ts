export { createAppender, type Appender, type AppenderOptions } from './appender.pg.js';
export { IngestModule } from './ingest.module.js';
export { createIntake, type Intake } from './intake.js';
export { createKafkaConsumer, type KafkaConsumer } from './consumer.kafka.js';
export { createOffsetStore, type OffsetStore } from './offsets.pg.js';
export { keepQuarantineBounded } from './quarantine.pg.js';
export { createQuarantineTopic, QUARANTINE_TOPIC, type QuarantineTopic } from './quarantine-topic.kafka.js';
export { createTopicMaker, type TopicMaker } from './topic-maker.kafka.js';
export { Ingest1764000003000 } from './migrations/1764000003000-ingest.js';
