export { DURATION_BUCKETS_S, createMetrics } from './metrics.js';
export type { Metrics } from './metrics.js';
export { createHealth, READY_ROLES } from './health.js';
export type { Health, HealthReport, ReadyRole } from './health.js';
export { createOtlpSink } from './otlp.js';
export type { EndedSpan, OtlpOptions, SpanSink } from './otlp.js';
export { createTracing } from './tracing.js';
export type { Attributes, OpenSpan, Tracing } from './tracing.js';
export { parseTraceparent } from './traceparent.js';
