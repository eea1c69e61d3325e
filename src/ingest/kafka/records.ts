import { createHash } from 'node:crypto';
import { RescindError } from '../../contracts/index.js';
import type { ControlState } from '../../control/index.js';
import type { KafkaRecord } from '../../platform/kafka/index.js';
import { accept, kafkaMode, type Arrived } from '../accept/accept.js';
import type { Judged } from '../append/submission.js';

/** Decides about one record, by the sources' rights at this moment. */
export function judgeRecord(topic: string, record: KafkaRecord, state: ControlState, nowMs: number): Judged {
  const headers = headersOf(record);
  const arrived: Omit<Arrived, 'mode'> = {
    headers,
    bytes: record.value ?? Buffer.alloc(0),
    door: { kind: 'kafka', topic },
  };
  const position = { offset: record.offset };
  try {
    return { ...accept({ ...arrived, mode: kafkaMode(headers) }, state, nowMs), position };
  } catch (error) {
    if (!(error instanceof RescindError) || error.code !== 'unsupported-media-type') throw error;
    const source = state.sourcesOfTopic(topic)[0];
    return {
      accepted: false,
      code: error.code,
      detail: error.detail ?? error.message,
      source,
      arrived: { ...arrived, mode: 'binary' },
      position,
    };
  }
}

/** Returns the headers with names in lower case, so that two spellings of one name are seen as a repeated header. */
function headersOf(record: KafkaRecord): (readonly [string, Buffer])[] {
  return Object.entries(record.headers).flatMap(([name, value]) =>
    [value].flat().map((one) => [name.toLowerCase(), Buffer.from(one ?? '')] as const),
  );
}

/** Hashes the parts of a record that a producer wrote: key, value and time, each with its length (SHA-256). */
export function digestOf(record: KafkaRecord): Buffer {
  const hash = createHash('sha256');
  for (const part of [record.timestamp, record.key ?? '', record.value ?? '']) {
    const bytes = Buffer.from(part);
    hash.update(`${bytes.length}:`).update(bytes);
  }
  return hash.digest();
}
