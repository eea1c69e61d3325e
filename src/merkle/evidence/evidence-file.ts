import type { Buffer } from 'node:buffer';
import { SALT_BYTES } from '../commitment.js';
import { decodeBase64 } from '../note/keys.js';
import { formatProofFile, parseProofFile, type ProofFile } from '../note/proof-file.js';

/** Media type of one evidence file. */
export const EVIDENCE_MEDIA_TYPE = 'application/vnd.rescind.evidence+json';
export const EVIDENCE_SUFFIX = '.evidence.json';
export const EVIDENCE_FORMAT = 'rescind-evidence/v1';
/** How the bytes of a payload arrived. The commitment does not cover it. */
export const EVIDENCE_MODES = ['binary', 'structured', 'batch', 'ndjson', 'set', 'own'] as const;
/** Characters of a file; longer ones are refused unread. */
export const MAX_EVIDENCE_CHARACTERS = 16 * 1024 * 1024;
/** An entry bundle counts the bytes of an entry in 16 bits (C2SP tlog-tiles). */
const MAX_ENTRY_BYTES = 65_535;

export interface EvidencePayload {
  readonly mode: (typeof EVIDENCE_MODES)[number];
  readonly salt: Buffer;
  /** As `encodeAttributes` writes them. */
  readonly attributes: Buffer;
  readonly bytes: Buffer;
}

/** An entry, and what shows that a log holds it. */
export interface Proven {
  readonly entry: Buffer;
  readonly payload: EvidencePayload;
  readonly proof: ProofFile;
}

/** Everything that shows that the source of an entry signed its event. */
export interface EvidenceSigned {
  /** The manifest of a signed batch, a JWS; null for a SET, which is the payload itself. */
  readonly manifest: string | null;
  /** An earlier entry `source.changed`, in which the source has the key. */
  readonly keys: Proven;
}

/** Everything that shows that a log holds one entry. */
export interface Evidence extends Omit<Proven, 'payload'> {
  /** Null if it was erased, or is left out for a reader who may not see it. */
  readonly payload: EvidencePayload | null;
  /** Absent if the event came unsigned; null if it came signed and what proves that is left out. */
  readonly signed?: EvidenceSigned | null;
}

/** Bytes are base64 with padding, and `proof` is the text of a C2SP tlog-proof. */
interface ProvenMembers {
  readonly entry: string;
  readonly payload: {
    readonly mode: EvidencePayload['mode'];
    readonly salt: string;
    readonly attributes: string;
    readonly bytes: string;
  };
  readonly proof: string;
}

/** The members of an evidence file. */
export interface EvidenceFile extends Omit<ProvenMembers, 'payload'> {
  readonly format: typeof EVIDENCE_FORMAT;
  readonly payload: ProvenMembers['payload'] | null;
  readonly signed?: { readonly manifest: string | null; readonly keys: ProvenMembers } | null;
}

export const evidenceFile = ({ entry, payload, signed, proof }: Evidence): EvidenceFile => ({
  format: EVIDENCE_FORMAT,
  entry: entry.toString('base64'),
  payload: payload && payloadMembers(payload),
  ...(signed === undefined ? {} : { signed: signed && signedMembers(signed) }),
  proof: formatProofFile(proof),
});

const payloadMembers = ({ mode, salt, attributes, bytes }: EvidencePayload): ProvenMembers['payload'] => ({
  mode,
  salt: salt.toString('base64'),
  attributes: attributes.toString('base64'),
  bytes: bytes.toString('base64'),
});

const signedMembers = ({ manifest, keys: { entry, payload, proof } }: EvidenceSigned) => ({
  manifest,
  keys: { entry: entry.toString('base64'), payload: payloadMembers(payload), proof: formatProofFile(proof) },
});

/** Writes an evidence file: one line of JSON, ended with a newline, so that several files in a row are an archive of lines. */
export const formatEvidence = (evidence: Evidence): string => `${JSON.stringify(evidenceFile(evidence))}\n`;

/** Reads an evidence file. Returns undefined for a text that `formatEvidence` would not have written. Checks no signature and no hash. */
export function parseEvidence(text: string): Evidence | undefined {
  if (text.length > MAX_EVIDENCE_CHARACTERS) return undefined;
  const evidence = readMembers(parseJson(text));
  return evidence !== undefined && formatEvidence(evidence) === text ? evidence : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isMembers = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

function readMembers(value: unknown): Evidence | undefined {
  if (!isMembers(value)) return undefined;
  const proven = readEntryAndProof(value);
  const payload = value['payload'] === null ? null : readPayload(value['payload']);
  if (proven === undefined || payload === undefined) return undefined;
  if (value['signed'] === undefined) return { ...proven, payload };
  const signed = value['signed'] === null ? null : readSigned(value['signed']);
  return signed === undefined ? undefined : { ...proven, payload, signed };
}

function readEntryAndProof(members: Readonly<Record<string, unknown>>): Omit<Proven, 'payload'> | undefined {
  const entry = bytesOf(members['entry']);
  const proof = typeof members['proof'] === 'string' ? parseProofFile(members['proof']) : undefined;
  return entry === undefined || entry.length > MAX_ENTRY_BYTES || proof === undefined ? undefined : { entry, proof };
}

function readSigned(value: unknown): EvidenceSigned | undefined {
  if (!isMembers(value)) return undefined;
  const { manifest, keys } = value;
  if (!isMembers(keys) || (manifest !== null && typeof manifest !== 'string')) return undefined;
  const proven = readEntryAndProof(keys);
  const payload = readPayload(keys['payload']);
  return proven === undefined || payload === undefined ? undefined : { manifest, keys: { ...proven, payload } };
}

function readPayload(value: unknown): EvidencePayload | undefined {
  if (!isMembers(value)) return undefined;
  const mode = EVIDENCE_MODES.find((known) => known === value['mode']);
  const [salt, attributes, bytes] = [value['salt'], value['attributes'], value['bytes']].map(bytesOf);
  if (mode === undefined || salt?.length !== SALT_BYTES || attributes === undefined || bytes === undefined)
    return undefined;
  return { mode, salt, attributes, bytes };
}

const bytesOf = (value: unknown): Buffer | undefined => (typeof value === 'string' ? decodeBase64(value) : undefined);
