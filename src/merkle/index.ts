export { SALT_BYTES, commitment, encodeAttributes, parseAttributes } from './commitment.js';
export { encodeEntry, leafHash, parseEntry, type Entry } from './entry.js';
export {
  EVIDENCE_FORMAT,
  EVIDENCE_MEDIA_TYPE,
  EVIDENCE_MODES,
  EVIDENCE_SUFFIX,
  evidenceFile,
  formatEvidence,
  parseEvidence,
  type Evidence,
  type EvidenceFile,
  type EvidencePayload,
  type EvidenceSigned,
} from './evidence/evidence-file.js';
export type { VerifyJws } from './evidence/check-source.js';
export { splitEvidence } from './evidence/split-evidence.js';
export { EVIDENCE_STEPS, verifyEvidence, type CheckedStep, type EvidenceStep } from './evidence/verify-evidence.js';
export { formatCheckpoint, parseCheckpoint, parseDecimal, type Checkpoint } from './note/checkpoint.js';
export {
  cosignedAt,
  cosignedMessage,
  decodeBase64,
  encodeCosignature,
  formatVerifierKey,
  isKeyName,
  KEY_TYPES,
  parseVerifierKey,
  verifierKey,
  type KeyType,
  type VerifierKey,
} from './note/keys.js';
export {
  findSigners,
  formatNote,
  formatSignature,
  parseNote,
  parseSignatures,
  type Note,
  type NoteSignature,
} from './note/note.js';
export { formatProofFile, parseProofFile, type ProofFile } from './note/proof-file.js';
export { createFrontier, frontierNodes, type Frontier } from './tree/frontier.js';
export { EMPTY_ROOT, HASH_BYTES, nodeHash, type Node } from './tree/nodes.js';
export {
  proveConsistency,
  proveInclusion,
  rootOf,
  verifyConsistency,
  verifyInclusion,
  type ReadNodes,
  type TreeHead,
} from './tree/proofs.js';
export {
  createNodeReader,
  encodeBundle,
  parseBundle,
  parseTilePath,
  TILE_HEIGHT,
  TILE_WIDTH,
  tilePath,
  tileWidth,
  type ReadTile,
  type Tile,
} from './tree/tiles.js';
