import { createRequire } from 'node:module';

interface Header {
  readonly key: string;
  readonly value: Buffer;
}

interface Decoder {
  readVarIntArray(read: unknown): Header[];
}

/**
 * kafkajs 2.2.4 gathers a record's headers by copying what it has for each further one (`record/v0/decoder.js`): one record
 * of 200 KB with 20,000 of them holds the process for a minute, before anything of ours sees it, and again after a restart.
 * Here the same object is made in one pass. Called before a consumer is made; once is enough, again does nothing.
 */
export function gatherHeadersInOnePass(): void {
  const { prototype } = createRequire(import.meta.url)('kafkajs/src/protocol/decoder.js') as { prototype: Decoder };
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

/** A name that occurs once has its value, one that occurs again an array of them. */
function gather(headers: readonly Header[]): Record<string, Buffer | Buffer[]> {
  const values = new Map<string, Buffer[]>();
  for (const { key, value } of headers) {
    const known = values.get(key);
    if (known) known.push(value);
    else values.set(key, [value]);
  }
  return Object.fromEntries([...values].map(([key, all]) => [key, all.length === 1 ? all[0]! : all]));
}
