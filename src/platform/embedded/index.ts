export { findEmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.pg.js';
export type { EmbeddedPostgres } from './embedded-postgres.pg.js';
export { startLocalKafka } from './local-kafka.js';
export { startDatabase, startKafka, type KafkaServers, type Say } from './own-servers.js';
export type { LocalKafka } from './local-kafka.js';
