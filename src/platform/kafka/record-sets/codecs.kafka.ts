import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import kafkajs from 'kafkajs';
import { CODEC_NAMES, decompress, type CodecId } from './decompress.js';

const zipped = promisify(gzip);

interface Encoder {
  readonly buffer: Buffer;
}

/**
 * Gives kafkajs bounded codecs for record sets that kafkajs decodes itself: those of brokers before Apache Kafka 2.3. Rescind writes gzip
 * or uncompressed.
 */
export function installCodecs(): void {
  for (const codec of [1, 2, 3, 4] as const) {
    const registered = {
      compress: (encoder: Encoder) => compress(codec, encoder),
      decompress: (bytes: Buffer) => decompress(codec, bytes),
    };
    kafkajs.CompressionCodecs[codec] = () => registered;
  }
}

async function compress(codec: CodecId, encoder: Encoder): Promise<Buffer> {
  if (codec !== 1) throw new TypeError(`${CODEC_NAMES[codec]} is read here, not written`);
  return zipped(encoder.buffer);
}
