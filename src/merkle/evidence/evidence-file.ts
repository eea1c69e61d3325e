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

/** Everything that shows that a log holds one entry. */
export interface Evidence {
  readonly entry: Buffer;
  /** Null if it was erased, or is left out for a reader who may not see it. */
  readonly payload: EvidencePayload | null;
  readonly proof: ProofFile;
}

/** The members of an evidence file. Bytes are base64 with padding, and `proof` is the text of a C2SP tlog-proof. */
export interface EvidenceFile {
  readonly format: typeof EVIDENCE_FORMAT;
  readonly entry: string;
  readonly payload: {
    readonly mode: EvidencePayload['mode'];
    readonly salt: string;
    readonly attributes: string;
    readonly bytes: string;
  } | null;
  readonly proof: string;
}

export const evidenceFile = ({ entry, payload, proof }: Evidence): EvidenceFile => ({
  format: EVIDENCE_FORMAT,
  entry: entry.toString('base64'),
  payload: payload && {
    mode: payload.mode,
    salt: payload.salt.toString('base64'),
    attributes: payload.attributes.toString('base64'),
    bytes: payload.bytes.toString('base64'),
  },
  proof: formatProofFile(proof),
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

function readMembers(value: unknown): Evidence | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { entry: entryText, payload: given, proof: proofText } = value as Record<string, unknown>;
  const entry = bytesOf(entryText);
  const proof = typeof proofText === 'string' ? parseProofFile(proofText) : undefined;
  const payload = given === null ? null : readPayload(given);
  if (entry === undefined || entry.length > MAX_ENTRY_BYTES || proof === undefined || payload === undefined)
    return undefined;
  return { entry, payload, proof };
}

function readPayload(value: unknown): EvidencePayload | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const members = value as Record<string, unknown>;
  const mode = EVIDENCE_MODES.find((known) => known === members['mode']);
  const [salt, attributes, bytes] = [members['salt'], members['attributes'], members['bytes']].map(bytesOf);
  if (mode === undefined || salt?.length !== SALT_BYTES || attributes === undefined || bytes === undefined)
    return undefined;
  return { mode, salt, attributes, bytes };
}

const bytesOf = (value: unknown): Buffer | undefined => (typeof value === 'string' ? decodeBase64(value) : undefined);
