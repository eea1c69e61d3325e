import type { StoredPayload } from '../log/index.js';

export interface Tenant {
  readonly id: string;
  readonly key: Uint8Array;
}

/** Writes the content of an event, as `ingest` compares it. */
export type ContentOf = (payload: StoredPayload) => string;
