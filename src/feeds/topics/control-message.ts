import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { canonicalJson, RescindError } from '../../contracts/index.js';
import type { CommandCopy, ControlRecord, RecordCopy, RuleRecord, Seq } from '../../control/index.js';
import { ERASED_PREFIX } from '../../rules/index.js';

/** Bytes of the key that seals control records (AES-256-GCM). */
export const TOPIC_KEY_BYTES = 32;

/** First byte of a sealed value. The content states its own format. */
const SEALED = 2;
/** Format of the sealed content. A reader refuses any other. */
const FORMAT = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

interface Written extends Omit<ControlRecord, 'seq'> {
  readonly format: number;
  readonly seq: string;
  readonly commands: readonly CommandCopy[];
}

export interface ControlMessage {
  /** The record's seq, decimal. */
  readonly key: string;
  /** 0x02 ‖ nonce, 12 bytes ‖ AES-256-GCM of the record as JSON ‖ tag, 16 bytes. The seal covers the message's key. */
  readonly value: Buffer;
}

/** Seals control records for their topic, so that nobody else can read them, and recognises records that others wrote there. */
export interface ControlSeal {
  seal(copy: RecordCopy): ControlMessage;
  /**
   * Opens a record of the topic. Returns undefined for a record that was not sealed with this key. Throws
   * `control-topic-corrupt` for a sealed record of a format that this release cannot read.
   */
  open(message: { readonly key: string | null; readonly value: Buffer | null }): RecordCopy | undefined;
}

/** Throws `TypeError` unless the key has {@link TOPIC_KEY_BYTES} bytes. */
export function createControlSeal(key: Buffer): ControlSeal {
  if (key.length !== TOPIC_KEY_BYTES)
    throw new TypeError(`the key of the control topic must have ${TOPIC_KEY_BYTES} bytes`);
  return {
    seal({ record, commands }) {
      const seq = String(record.seq);
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(boundTo(seq));
      const sealed = [
        cipher.update(JSON.stringify({ format: FORMAT, ...record, seq, commands }), 'utf8'),
        cipher.final(),
      ];
      return { key: seq, value: Buffer.concat([Buffer.of(SEALED), nonce, ...sealed, cipher.getAuthTag()]) };
    },
    open({ key: seq, value }) {
      const text = seq === null || value === null ? undefined : unseal(key, seq, value);
      if (text === undefined) return undefined;
      const { format, seq: written, commands, ...record } = JSON.parse(text) as Written;
      if (format !== FORMAT)
        throw new RescindError('control-topic-corrupt', {
          detail: `record ${seq} is of format ${String(format)}, which this release cannot read`,
        });
      return { record: { ...record, seq: BigInt(written) as Seq } as ControlRecord, commands };
    },
  };
}

function unseal(key: Buffer, seq: string, value: Buffer): string | undefined {
  if (value.length < 1 + NONCE_BYTES + TAG_BYTES || value[0] !== SEALED) return undefined;
  const nonce = value.subarray(1, 1 + NONCE_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
    .setAAD(boundTo(seq))
    .setAuthTag(value.subarray(-TAG_BYTES));
  const opened = decipher.update(value.subarray(1 + NONCE_BYTES, -TAG_BYTES));
  try {
    return Buffer.concat([opened, decipher.final()]).toString();
  } catch {
    return undefined;
  }
}

const boundTo = (seq: string): Buffer => Buffer.from(`rescind-control/v${SEALED}\0${seq}`);

/**
 * Whether two records are the same. Commands are not compared, because their keys expire. A record from which a person was erased is the record that was
 * published before, if everything but names and reasons is the same: rules are compared by their keys.
 */
export const isSameRecord = (one: ControlRecord, other: ControlRecord): boolean =>
  canonicalRecord(one) === canonicalRecord(other) ||
  ([one, other].some(isErased) && withoutNames(one) === withoutNames(other));

const isErased = ({ body }: ControlRecord): boolean => JSON.stringify(body).includes(ERASED_PREFIX);

function withoutNames(record: ControlRecord): string {
  const { selector: _, reason: _reason, author: _author, origin, ...body } = record.body as Partial<RuleRecord>;
  const { event: _event, ...told } = origin ?? {};
  return canonicalRecord({ ...record, body: { ...body, origin: told } } as ControlRecord);
}

const canonicalRecord = ({ seq, tenant, kind, subject, version, at, body }: ControlRecord): string =>
  canonicalJson({ seq: String(seq), tenant, kind, subject, version, at, body });
