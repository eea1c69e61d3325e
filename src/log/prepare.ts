import { hash, randomFillSync } from 'node:crypto';
import { keyedHash } from '../contracts/index.js';
import { commitment, encodeAttributes, SALT_BYTES } from '../merkle/index.js';
import type { ArrivalMode, NewEntry } from './append.pg.js';
import { createFieldWriter } from './copy-binary.js';

const DEDUPE_KEY_BYTES = 16;

export interface EntryToPrepare {
  readonly tenant: string;
  readonly tenantKey: Uint8Array;
  readonly type: string;
  /** Id of the registered source, or of the tenant itself for Rescind's own entries. */
  readonly source: string;
  readonly eventId: string;
  /** RFC 8785 form of {type, source, id, time, subject, data}. It is equal for the same event in another mode or spelling. */
  readonly content: string;
  readonly mode: ArrivalMode;
  readonly headers: readonly (readonly [name: string, value: Uint8Array | string])[];
  readonly bytes: Buffer;
}

/** Salts drawn from the system's generator in one call. A call for each salt would cost more than the bytes. */
const SALTS_A_DRAW = 512;
const drawn = Buffer.alloc(SALTS_A_DRAW * SALT_BYTES);
let used = drawn.length;

/** Returns a salt in shared memory that a later call overwrites. The caller must copy it. */
function nextSalt(): Buffer {
  if (used === drawn.length) {
    randomFillSync(drawn);
    used = 0;
  }
  used += SALT_BYTES;
  return drawn.subarray(used - SALT_BYTES, used);
}

const fields = createFieldWriter();

/** Prepares everything of an entry that does not depend on its index: salt, commitment, dedupe key, content hash and staging row. */
export function prepareEntry(event: EntryToPrepare): NewEntry {
  const salt = nextSalt();
  const attributes = encodeAttributes(event.headers);
  const dedupeKey = keyedHash(
    event.tenantKey,
    `dedupe\0${JSON.stringify([event.source, event.eventId])}`,
    DEDUPE_KEY_BYTES,
  );
  const contentHash = hash('sha256', event.content, 'binary');
  const row = fields
    .uuid(event.tenant)
    .text(event.type)
    .uuid(event.source)
    .bytea(commitment({ salt, attributes, bytes: event.bytes }))
    .latin1(dedupeKey)
    .latin1(contentHash)
    .text(event.mode)
    .bytea(salt)
    .bytea(attributes)
    .bytea(event.bytes)
    .take();
  return { tenant: event.tenant, dedupeKey, hash: contentHash, row };
}
