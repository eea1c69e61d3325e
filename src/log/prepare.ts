import { createHmac, hash, randomBytes } from 'node:crypto';
import { commitment, encodeAttributes, SALT_BYTES } from '../merkle/index.js';
import type { ArrivalMode, NewEntry } from './append.pg.js';

const DEDUPE_KEY_BYTES = 16;

export interface EntryToPrepare {
  readonly tenant: string;
  readonly tenantKey: Uint8Array;
  readonly type: string;
  /** Id of the registered source, or of the tenant itself for Rescind's own entries. */
  readonly source: string;
  readonly eventId: string;
  /** RFC 8785 form of {type, source, id, time, subject, data}: the same event in another mode or spelling has the same. */
  readonly content: string;
  readonly mode: ArrivalMode;
  readonly headers: readonly (readonly [name: string, value: Uint8Array | string])[];
  readonly bytes: Buffer;
}

/** Salts drawn from the system's generator at a time: a call for each costs more than the bytes. */
const SALTS_A_DRAW = 512;
let drawn = Buffer.alloc(0);

function nextSalt(): Buffer {
  if (drawn.length === 0) drawn = randomBytes(SALTS_A_DRAW * SALT_BYTES);
  const salt = Buffer.from(drawn.subarray(0, SALT_BYTES));
  drawn = drawn.subarray(SALT_BYTES);
  return salt;
}

/** Everything of an entry that does not depend on where it will stand. */
export function prepareEntry(event: EntryToPrepare): NewEntry {
  const salt = nextSalt();
  const attributes = encodeAttributes(event.headers);
  return {
    tenant: event.tenant,
    type: event.type,
    source: event.source,
    commitment: commitment({ salt, attributes, bytes: event.bytes }),
    dedupeKey: createHmac('sha256', event.tenantKey)
      .update(`dedupe\0${JSON.stringify([event.source, event.eventId])}`)
      .digest()
      .subarray(0, DEDUPE_KEY_BYTES),
    hash: hash('sha256', event.content, 'buffer'),
    mode: event.mode,
    salt,
    attributes,
    bytes: event.bytes,
  };
}
