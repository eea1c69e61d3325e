export { buildEvent, type EventInput } from './build-event.js';
export { recordKey, toKafkaMessage, type KafkaMessage, type KafkaMode } from './kafka-message.js';
export { createKafkaEmitter, type KafkaEmitter, type KafkaEmitterOptions, type KafkaProducerPort } from './kafka-emitter.js';
export { DEFAULT_TIMEOUT_MS, createHttpEmitter, type EmitterCredentials, type HttpEmitter, type HttpEmitterOptions } from './http-emitter.js';
export { digestOf, jwtIdentity, tokenIdentity } from './token-identity.js';
