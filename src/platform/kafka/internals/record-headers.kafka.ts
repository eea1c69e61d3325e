import { kafkajsInternal } from './internals.kafka.js';

interface Header {
  readonly key: string;
  readonly value: Buffer;
}

interface Decoder {
  readVarIntArray(read: unknown): Header[];
}

/**
 * Makes kafkajs gather a record's headers in one pass. kafkajs 2.2.4 copies all previous headers for each further one
 * (`record/v0/decoder.js`): one record of 200 KB with 20,000 headers blocks the process for a minute, before any code of Rescind sees it,
 * and again after a restart. It concerns brokers before Apache Kafka 2.3. Call this before a consumer is made.
 */
export function gatherHeadersInOnePass(): void {
  const { prototype } = kafkajsInternal<{ prototype: Decoder }>('protocol/decoder.js');
  const { readVarIntArray } = prototype;
  if (patched.has(readVarIntArray)) return;
  const replacement: Decoder['readVarIntArray'] = function (this: Decoder, read) {
    const headers = readVarIntArray.call(this, read);
    return Object.defineProperty(headers, 'reduce', { value: () => gather(headers) });
  };
  patched.add(replacement);
  prototype.readVarIntArray = replacement;
}

const patched = new WeakSet<object>();

/** Gathers headers. A name that occurs once gets its value; a name that occurs again gets an array of values. */
function gather(headers: readonly Header[]): Record<string, Buffer | Buffer[]> {
  const values = new Map<string, Buffer[]>();
  for (const { key, value } of headers) {
    const known = values.get(key);
    if (known) known.push(value);
    else values.set(key, [value]);
  }
  return Object.fromEntries([...values].map(([key, all]) => [key, all.length === 1 ? all[0]! : all]));
}
