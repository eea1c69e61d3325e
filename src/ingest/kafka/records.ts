import { createHash } from 'node:crypto';
import { RescindError } from '../../contracts/index.js';
import type { ControlState, Source } from '../../control/index.js';
import type { KafkaRecord } from '../../platform/kafka/index.js';
import { accept, kafkaMode, type Arrived, type Rejected } from '../accept/accept.js';
import type { Judged } from '../append/submission.js';
import type { SignatureChecks } from '../signed/signature-checks.js';

/** The events of one record as they came, with the outcome of their signature's check. A signed batch has several. */
export type TakenRecord =
  | { readonly events: readonly Arrived[]; readonly refused?: undefined }
  | { readonly events?: undefined; readonly refused: Rejected };

/** Takes a record apart. Resolves later only for a signed record. Rejects with `keys-unavailable`. */
export function takeRecord(
  topic: string,
  record: KafkaRecord,
  state: ControlState,
  signatures: SignatureChecks,
): TakenRecord | Promise<TakenRecord> {
  const headers = headersOf(record);
  const door = { kind: 'kafka', topic } as const;
  const arrived: Omit<Arrived, 'mode'> = { headers, bytes: record.value ?? Buffer.alloc(0), door };
  const refuse = ({ code, detail }: Pick<Rejected, 'code' | 'detail'>, mode: Arrived['mode'], source?: Source) => ({
    refused: {
      accepted: false,
      code,
      detail,
      source: source ?? state.sourcesOfTopic(topic)[0],
      arrived: { ...arrived, mode },
    } as const,
  });
  try {
    const mode = kafkaMode(headers);
    if (mode === 'set') return signatures.checkSet({ ...arrived, mode }).then((event) => ({ events: [event] }));
    if (mode !== 'batch') return { events: [{ ...arrived, mode }] };
    return signatures
      .openBatch(arrived.bytes, door)
      .then((opened) => (opened.refused ? refuse(opened.refused, mode, opened.refused.source) : opened));
  } catch (error) {
    if (!(error instanceof RescindError) || error.code !== 'unsupported-media-type') throw error;
    return refuse({ code: error.code, detail: error.detail ?? error.message }, 'binary');
  }
}

/** Decides about the events of one record, by the sources' rights at this moment. */
export function judgeRecord(
  taken: TakenRecord,
  { offset }: KafkaRecord,
  state: ControlState,
  nowMs: number,
): readonly Judged[] {
  const position = { offset };
  if (taken.refused) return [{ ...taken.refused, position }];
  return taken.events.map((event) => ({ ...accept(event, state, nowMs), position }));
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
