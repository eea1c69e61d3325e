import { RescindError, type CloudEvent } from '../../contracts/index.js';
import { createKafkaEmitter, type KafkaEmitterOptions } from './kafka-emitter.js';
import { SendFailed, type FailureReason, type Transport } from './transport.js';

/** Events of one `send`, which the broker answers together. */
const MAX_EVENTS = 500;
/** Bytes of one `send`. Brokers take record batches of 1 MiB, headers included, unless configured otherwise (`message.max.bytes`). */
const MAX_BYTES = 768 * 1024;
/** The same for SETs, which are in base64url. */
const MAX_SIGNED_BYTES = 512 * 1024;

/**
 * Creates a transport to a Kafka topic. A taken event is on every in-sync replica; whether Rescind accepts it shows later, in Rescind's
 * quarantine. The caller connects and disconnects the client. While the broker is away, the client's own retries come first.
 */
export function kafkaTransport(options: KafkaEmitterOptions): Transport {
  const emitter = createKafkaEmitter(options);
  return {
    name: `topic ${options.topic ?? options.sourceName}`,
    maxEvents: MAX_EVENTS,
    maxBytes: options.signer === undefined ? MAX_BYTES : MAX_SIGNED_BYTES,
    async send(events) {
      try {
        await emitter.emit(events.map((text) => JSON.parse(text) as CloudEvent));
      } catch (error) {
        const reason = reasonOf(error);
        const detail = error instanceof Error ? error.message : 'the records were not taken';
        throw new SendFailed(reason === 'divisible' ? 'too-large' : 'emit-failed', reason, { detail, cause: error });
      }
      return events.map(() => ({ taken: true }) as const);
    },
  };
}

/** Error names of the Kafka protocol, which kafkajs and other clients carry in `type` or `code`. */
const REASON_OF: Readonly<Record<string, FailureReason>> = {
  MESSAGE_TOO_LARGE: 'divisible',
  RECORD_LIST_TOO_LARGE: 'divisible',
  UNKNOWN_TOPIC_OR_PARTITION: 'held',
  TOPIC_AUTHORIZATION_FAILED: 'held',
  CLUSTER_AUTHORIZATION_FAILED: 'held',
  SASL_AUTHENTICATION_FAILED: 'held',
};

/** Depth of the search: clients wrap a broker's error in errors of their own. */
const MAX_CAUSES = 8;

function reasonOf(error: unknown): FailureReason {
  if (error instanceof RescindError && error.code === 'too-large') return 'divisible';
  let one = error;
  for (let depth = 0; depth < MAX_CAUSES && typeof one === 'object' && one !== null; depth++) {
    const { type, code, cause } = one as { type?: unknown; code?: unknown; cause?: unknown };
    for (const name of [type, code])
      if (typeof name === 'string' && Object.hasOwn(REASON_OF, name)) return REASON_OF[name]!;
    one = cause;
  }
  return 'away';
}
