export { createProducer, type CloseReport, type DurableOptions, type EmitOptions, type Producer } from './producer.js';
export { checkLimits } from './producer-options.js';
export type { DroppedEvent, ProducerLog, ProducerOptions, RefusedEvent } from './producer-options.js';
export type { ProducerStats } from './producer-stats.js';
export type { Receipt } from './spool/durable-waits.js';
export type { DropReason } from './spool/backlog.js';
export type { RetryOptions } from './backoff.js';
export { createSigner, type Signer, type SignerOptions } from './signer.js';
export { httpTransport } from './transport/http-transport.js';
export { kafkaTransport } from './transport/kafka-transport.js';
export { SendFailed, type FailureReason, type Transport, type Verdict } from './transport/transport.js';
export { buildEvent, type EventInput } from './build-event.js';
export { recordKey, toKafkaMessage, type KafkaMessage, type KafkaMode } from './transport/kafka-message.js';
export {
  createKafkaEmitter,
  type KafkaEmitter,
  type KafkaEmitterOptions,
  type KafkaProducerPort,
} from './transport/kafka-emitter.js';
export { createHttpEmitter, type HttpEmitter, type HttpEmitterOptions } from './transport/http-emitter.js';
export { DEFAULT_TIMEOUT_MS, type EmitterCredentials, type HttpOptions } from './transport/http-post.js';
export { digestOf, jwtIdentity, tokenIdentity } from './token-identity.js';
export {
  RescindError,
  type CloudEvent,
  type ErrorCode,
  type EventDataOf,
  type RejectCode,
  type SourceEventName,
} from '../contracts/index.js';
