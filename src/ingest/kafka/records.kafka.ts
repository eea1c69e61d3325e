import { createHash } from 'node:crypto';
import type { Batch, KafkaMessage } from 'kafkajs';
import { RescindError } from '../../contracts/index.js';
import type { ControlState } from '../../control/index.js';
import { accept, kafkaMode, type Arrived } from '../accept/accept.js';
import type { Judged } from '../append/submission.js';

/** The decision about one record, by the rights of now. */
export function judgeRecord(topic: string, message: KafkaMessage, state: ControlState, nowMs: number): Judged {
  const headers = headersOf(message);
  const arrived: Omit<Arrived, 'mode'> = { headers, bytes: message.value ?? Buffer.alloc(0), door: { kind: 'kafka', topic } };
  const position = { offset: BigInt(message.offset) };
  try {
    return { ...accept({ ...arrived, mode: kafkaMode(headers) }, state, nowMs), position };
  } catch (error) {
    if (!(error instanceof RescindError) || error.code !== 'unsupported-media-type') throw error;
    const source = state.sourcesOfTopic(topic)[0];
    return { accepted: false, code: error.code, detail: error.detail ?? error.message, source, arrived: { ...arrived, mode: 'binary' }, position };
  }
}

/** Header names are lower-cased, so that two spellings of one name are seen as a repeated header. */
function headersOf(message: KafkaMessage): (readonly [string, Buffer])[] {
  return Object.entries(message.headers ?? {}).flatMap(([name, value]) =>
    [value].flat().map((one) => [name.toLowerCase(), Buffer.from(one ?? '')] as const),
  );
}

/** SHA-256 of what a producer wrote of a record: key, value and time, each with its length. */
export function digestOf(message: KafkaMessage): Buffer {
  const hash = createHash('sha256');
  for (const part of [message.timestamp, message.key ?? '', message.value ?? '']) {
    const bytes = Buffer.from(part);
    hash.update(`${bytes.length}:`).update(bytes);
  }
  return hash.digest();
}

/** The offset that the fetch asked for: there at run time (kafkajs 2.2.4, `consumer/batch.js`), missing in its types. */
export const fetchedOffsetOf = (batch: Batch): bigint => BigInt((batch as Batch & { readonly fetchedOffset: string }).fetchedOffset);
