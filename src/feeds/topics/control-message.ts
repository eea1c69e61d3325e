import { canonicalJson, RescindError } from '../../contracts/index.js';
import type { CommandCopy, ControlRecord, RecordCopy, Seq } from '../../control/index.js';

/** Of a message's value. A reader refuses another one. */
const FORMAT = 1;

interface Written extends Omit<ControlRecord, 'seq'> {
  readonly format: number;
  readonly seq: string;
  readonly commands: readonly CommandCopy[];
}

export interface ControlMessage {
  readonly key: string;
  readonly value: string;
}

export function controlMessage({ record, commands }: RecordCopy): ControlMessage {
  const seq = String(record.seq);
  return { key: seq, value: JSON.stringify({ format: FORMAT, ...record, seq, commands }) };
}

/** Throws `control-topic-corrupt` for what no publisher of Rescind wrote. */
export function readControlMessage({ offset, value }: { readonly offset: bigint; readonly value: Buffer | null }): RecordCopy {
  const { format, seq, commands, ...record } = parse(offset, value);
  if (format !== FORMAT) throw corrupt(offset, `is of format ${String(format)}, which this release cannot read`);
  return { record: { ...record, seq: BigInt(seq) as Seq } as ControlRecord, commands };
}

/** Whether two records are one. Not the commands: their keys expire. */
export const isSameRecord = (one: ControlRecord, other: ControlRecord): boolean => canonicalRecord(one) === canonicalRecord(other);

const canonicalRecord = ({ seq, tenant, kind, subject, version, at, body }: ControlRecord): string =>
  canonicalJson({ seq: String(seq), tenant, kind, subject, version, at, body });

function parse(offset: bigint, value: Buffer | null): Written {
  let parsed: Partial<Written> | null;
  try {
    parsed = JSON.parse(String(value)) as Partial<Written> | null;
  } catch (error) {
    throw corrupt(offset, 'is not JSON', error);
  }
  const isWhole =
    typeof parsed === 'object' &&
    parsed !== null &&
    /^[1-9]\d{0,17}$/.test(String(parsed.seq)) &&
    [parsed.tenant, parsed.kind, parsed.subject].every((member) => typeof member === 'string') &&
    [parsed.version, parsed.at].every((member) => Number.isSafeInteger(member)) &&
    typeof parsed.body === 'object' &&
    Array.isArray(parsed.commands);
  if (!isWhole) throw corrupt(offset, 'is not a control record');
  return parsed as Written;
}

const corrupt = (offset: bigint, what: string, cause?: unknown): RescindError =>
  new RescindError('control-topic-corrupt', { detail: `the record at offset ${offset} ${what}`, cause });
