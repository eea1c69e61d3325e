import { randomBytes } from 'node:crypto';
import { keyedHash } from '../contracts/index.js';
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
  readonly mode: ArrivalMode;
  readonly headers: readonly (readonly [name: string, value: Uint8Array | string])[];
  readonly bytes: Buffer;
}

/** Salts drawn from the system's generator in one call. A call for each salt would cost more than the bytes. */
const SALTS_A_DRAW = 512;
let drawn = Buffer.alloc(0);
let used = 0;

function nextSalt(): Buffer {
  if (used === drawn.length) {
    drawn = randomBytes(SALTS_A_DRAW * SALT_BYTES);
    used = 0;
  }
  used += SALT_BYTES;
  return drawn.subarray(used - SALT_BYTES, used);
}

/** Computes the key by which the ledger recognises an event of a source, as latin1. */
export const dedupeKeyOf = (tenantKey: Uint8Array, source: string, eventId: string): string =>
  keyedHash(tenantKey, `dedupe\0${JSON.stringify([source, eventId])}`, DEDUPE_KEY_BYTES);

/** Prepares everything of an entry that does not depend on its index: salt, commitment and dedupe key. */
export function prepareEntry({
  tenant,
  tenantKey,
  type,
  source,
  eventId,
  mode,
  headers,
  bytes,
}: EntryToPrepare): NewEntry {
  const salt = nextSalt();
  const attributes = encodeAttributes(headers);
  return {
    tenant,
    type,
    source,
    dedupeKey: dedupeKeyOf(tenantKey, source, eventId),
    commitment: commitment({ salt, attributes, bytes }),
    mode,
    salt,
    attributes,
    bytes,
  };
}
