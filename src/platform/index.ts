export { ConfigError, ROLES, VARIABLE_DOCUMENTATION, isLoopback, readConfig } from './config.js';
export type { Config, ConfigProblem, ListenConfig, LogLevel, Role } from './config.js';
export { Secret } from './secret.js';

export { createLog } from './log.js';
export type { Log, LogDestination } from './log.js';
export { MASK, maskSecrets } from './masking.js';
export { DURATION_BUCKETS_S, createMetrics } from './metrics.js';
export type { Metrics } from './metrics.js';
export { createHealth } from './health.js';
export type { Health, HealthReport } from './health.js';
export { createLifecycle } from './lifecycle.js';
export type { Lifecycle } from './lifecycle.js';

export { createPool, inTransaction, isDatabaseUnavailable } from './pool.pg.js';
export type { Pool, PoolClient, PoolOptions } from './pool.pg.js';
export { loadSql } from './sql.js';
export { startEmbeddedPostgres } from './embedded-postgres.pg.js';
export type { EmbeddedPostgres } from './embedded-postgres.pg.js';

export { createKafka } from './client.kafka.js';
export { startLocalKafka } from './local-kafka.kafka.js';
export type { LocalKafka } from './local-kafka.kafka.js';

export { createHttpApp, listenHttp } from './http-app.module.js';
export type { HttpAppOptions, RawBodies } from './http-app.module.js';
export type { HotHandler } from './http-server.js';
export { jsonBody, mediaTypeOf } from './json-body.js';
export { parseStrictJson } from './strict-json.js';
export { problemOf, statusOfKind } from './problem.js';
export type { ProblemAnswer } from './problem.js';
export { ProblemFilter } from './problem.filter.js';
export { PlatformModule } from './platform.module.js';
export type { PlatformParts } from './platform.module.js';
export { CONFIG, HEALTH, LIFECYCLE, LOG, METRICS } from './tokens.js';
export { runMigrations } from './migrations/run-migrations.js';
export { checkServer } from './server-check.pg.js';
