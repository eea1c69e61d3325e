import { Type, type Static } from 'typebox';
import { nameSchemas } from '../../contracts/index.js';
import { EVIDENCE_FORMAT, EVIDENCE_MODES } from '../../merkle/index.js';
import { Base64, Index, maybe, one, payload, strict, Time, timeThat, Uuid } from '../ask/answer-parts.js';

const BYTES = { mode: Type.Enum([...EVIDENCE_MODES]), salt: Base64, attributes: Base64, bytes: Base64 };

/** The bytes of an entry's content, with what its commitment is computed from. */
const PayloadBytes = Type.Object(BYTES, strict);
const EntryPayload = payload(
  Type.Object(BYTES, {
    ...strict,
    description: 'null if the content was erased, and for callers with `audit: {payloads: false}`',
  }),
);

const Proof = Type.String({ description: 'C2SP tlog-proof: index, path to the root, signed checkpoint' });

const Signed = Type.Object(
  {
    manifest: maybe(Type.String({ description: 'the manifest of a signed batch, a JWS; null: the event is a SET' })),
    keys: Type.Object(
      { entry: Base64, payload: PayloadBytes, proof: Proof },
      { ...strict, description: 'an earlier entry `source.changed` that has the key' },
    ),
  },
  {
    ...strict,
    description:
      'What proves the signature of the source. Absent if the event came unsigned; null if it is left out: for callers with `audit: {payloads: false}`, and in answers of `POST /events`.',
  },
);

export const EvidenceFile = Type.Object(
  {
    format: Type.Literal(EVIDENCE_FORMAT),
    entry: Base64,
    payload: EntryPayload,
    signed: Type.Optional(payload(Signed)),
    proof: Proof,
  },
  {
    ...strict,
    description:
      'Evidence that the ledger holds one entry, `application/vnd.rescind.evidence+json`. As a file: one line of JSON with the members in this order and no white space, ended with a newline; `rescind verify` checks it offline.',
  },
);

const head = {
  size: { ...Index, description: 'number of entries that it covers' },
  root: Base64,
  at: Time,
  note: Type.String({ description: 'the signed note (C2SP tlog-checkpoint)' }),
};

export const LedgerAnswer = one({
  tenant: Uuid,
  checkpoint: maybe(
    Type.Object(
      { origin: Type.String(), ...head },
      { ...strict, description: 'the newest published checkpoint; null before the first' },
    ),
  ),
  witnessed: maybe(
    Type.Object(head, {
      ...strict,
      description: 'the newest checkpoint that a witness cosigned, which may cover fewer entries; null: unwitnessed',
    }),
  ),
  witnesses: Type.Array(
    Type.Object(
      {
        name: Type.String(),
        size: { ...Index, description: 'number of entries of the largest checkpoint that it cosigned; 0: none' },
        at: maybe(Time),
      },
      strict,
    ),
    { description: 'the witnesses that are asked to cosign the ledger (`WITNESSES`), by name' },
  ),
  growth: Type.Array(Type.Object({ size: { ...Index, description: 'number of entries' }, at: Time }, strict), {
    description:
      'When the ledger had so many entries, the smallest number first: from 1 to the size of the newest checkpoint in about 60 equal steps. The times are arrivals, which the entries hold.',
  }),
  keys: Type.Array(
    Type.Object(
      {
        key: Type.String({ description: 'verifier key (C2SP signed-note)' }),
        since: Time,
        until: maybe(timeThat('the time at which it stops or stopped signing; null for the newest key')),
      },
      strict,
    ),
    {
      description:
        'all keys that sign or signed checkpoints, the oldest first, as at `/ledger/{tenant}/keys`. For at least 30 days after a change (`log-key.changed`) the former key signs too.',
    },
  ),
});

nameSchemas({ EvidenceFile, LedgerAnswer });

export type LedgerAnswer = Static<typeof LedgerAnswer>;
export type EvidenceFile = Static<typeof EvidenceFile>;
