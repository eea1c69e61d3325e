import type { Entry } from './queries.js';

/* Recomputes what an entry commits to, from the formats that `src/merkle` documents and without its code: a second opinion. */

/** Comes before a payload that is hashed. */
const PAYLOAD_DOMAIN = 'rescind-payload/v1\0';
const ENTRY_MAGIC = 'rescind-entry/v1';
/** Comes before a leaf that is hashed (RFC 6962, section 2.1). */
const LEAF_PREFIX = '\0';

export const bytesOf = (base64: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(base64), (one) => one.charCodeAt(0));

const encoded = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

async function digestOf(...parts: readonly Uint8Array<ArrayBuffer>[]): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', await new Blob([...parts]).arrayBuffer()));
  return btoa(String.fromCharCode(...digest));
}

function lengthOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, bytes.length);
  return length;
}

export interface Checked {
  readonly commitment: boolean;
  readonly leafHash: boolean;
}

/** Whether salt, attributes and bytes give the commitment, and the entry its leaf hash. Undefined: this page may not hash, or the payload is not there. */
export async function checkEntry(entry: Entry): Promise<Checked | undefined> {
  const { payload, index, arrival, type, source, commitment, leaf_hash: leafHash } = entry;
  // Browsers hash only in pages that came over TLS, or from this machine.
  if (payload === null || globalThis.crypto?.subtle === undefined) return undefined;
  const attributes = bytesOf(payload.attributes);
  const found = await digestOf(
    encoded(PAYLOAD_DOMAIN),
    bytesOf(payload.salt),
    lengthOf(attributes),
    attributes,
    bytesOf(payload.bytes),
  );
  const leaf = `${LEAF_PREFIX}${ENTRY_MAGIC}\n${index}\n${Date.parse(arrival)}\n${type}\n${source.id}\n${commitment}\n`;
  return { commitment: found === commitment, leafHash: (await digestOf(encoded(leaf))) === leafHash };
}

const A_LINE = 16;

/** Bytes as people read them: the offset, the bytes in hexadecimal, and what is printable ASCII. */
export function hexDump(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += A_LINE) {
    const line = [...bytes.subarray(at, at + A_LINE)];
    const hex = line.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const ascii = line.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`${at.toString(16).padStart(6, '0')}  ${hex.padEnd(A_LINE * 3 - 1)}  ${ascii}`);
  }
  return lines.join('\n');
}
