import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import {
  commitment,
  encodeAttributes,
  encodeEntry,
  formatCheckpoint,
  formatNote,
  leafHash,
  nodeHash,
  verifierKey,
  type Evidence,
  type EvidencePayload,
} from '../../src/merkle/index.js';
import type { ProducerKey } from './signed.js';

/** A tenant with a source, as made-up ledgers have them. */
export const TENANT = '0192f0c1-7d3e-7a10-9c55-3f1f2b8f4b00';
export const SOURCE = '0192f0c1-7d3e-7a10-9c55-3f1f2b8f4b01';
const ORIGIN = `log.example/${TENANT}/1`;
export const AUDIENCE = `urn:rescind:${TENANT}`;
export const URI = 'https://chat.example/events';
const CHANGED = 'dev.rescind.source.changed.v1';
export const EVENT = 'dev.rescind.session.ended.v1';
const SET = 'application/secevent+jwt';

const log = generateKeyPairSync('ed25519');
export const logKeyOf = (origin: string) =>
  verifierKey(origin, 'ed25519', log.publicKey.export({ format: 'der', type: 'spki' }).subarray(-32));
export const LOG_KEYS = [logKeyOf(ORIGIN)];

export interface Told {
  readonly type: string;
  readonly source: string;
  readonly payload: EvidencePayload;
}

/** A log of exactly two entries, and what proves each. */
export function logOf(told: readonly [Told, Told], origin = ORIGIN) {
  const entries = told.map(({ type, source, payload }, index) =>
    encodeEntry({ index: BigInt(index), arrivalMs: 1_795_512_000_000n, type, source, commitment: commitment(payload) }),
  );
  const [left, right] = entries.map(leafHash) as [Buffer, Buffer];
  const text = formatCheckpoint({ origin, size: 2n, root: nodeHash(left, right) });
  const { name, id } = logKeyOf(origin);
  const signature = sign(null, Buffer.from(text), log.privateKey);
  const checkpoint = formatNote({ text, signatures: [{ name, keyId: id, signature }] });
  const proven = (nth: 0 | 1) => ({
    entry: entries[nth]!,
    payload: told[nth].payload,
    proof: { index: BigInt(nth), path: [nth === 0 ? right : left], checkpoint },
  });
  return { first: proven(0), second: proven(1) };
}

export const payloadOf = (
  mode: EvidencePayload['mode'],
  attributes: Parameters<typeof encodeAttributes>[0],
  bytes: string,
): EvidencePayload => ({
  mode,
  salt: randomBytes(32),
  attributes: encodeAttributes(attributes),
  bytes: Buffer.from(bytes),
});

export const keysOf = (keys: readonly ProducerKey[], { id = SOURCE, uri = URI } = {}): Told => ({
  type: CHANGED,
  source: TENANT,
  payload: payloadOf(
    'own',
    [],
    JSON.stringify({ data: { id, after: { uri, jwks: { keys: keys.map(({ publicJwk }) => publicJwk) } } } }),
  ),
});
export const told = (payload: EvidencePayload): Told => ({ type: EVENT, source: SOURCE, payload });
export const setPayload = (jws: string): EvidencePayload => payloadOf('set', [['content-type', SET]], jws);

/** Evidence of an event that came signed, behind the entry with the keys. */
export function signedBy(keys: Told, payload: EvidencePayload, manifest: string | null): Evidence {
  const { first, second } = logOf([keys, told(payload)]);
  return { ...second, signed: { manifest, keys: first } };
}
