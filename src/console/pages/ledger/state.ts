import { findSigners, parseCheckpoint, parseNote, parseVerifierKey, type VerifierKey } from '../../../merkle/index.js';
import type { Answer } from '../../api/client.js';

type Ledger = Answer<'LedgerAnswer'>;
type Published = NonNullable<Ledger['checkpoint']>;

/** A witness, and how many published entries it has not cosigned. */
export interface WitnessState {
  readonly name: string;
  readonly size: bigint;
  readonly at: string | null;
  readonly behind: bigint;
}

/** What the page shows of a ledger that has a checkpoint. */
export interface LedgerState {
  readonly tenant: string;
  readonly checkpoint: Published;
  readonly size: bigint;
  /** Entries that no checkpoint covers yet. */
  readonly waiting: bigint;
  /** Entries that no cosigned checkpoint covers, the last of the ledger. */
  readonly unwitnessed: bigint;
  readonly witnesses: readonly WitnessState[];
  readonly growth: readonly { readonly size: number; readonly at: number }[];
  readonly keys: readonly ListedKey[];
  /** Whether the note was signed with one of the keys, and says what stands beside it. Recomputed in this page. */
  readonly isSigned: boolean;
}

export interface ListedKey {
  readonly text: string;
  readonly key: VerifierKey | undefined;
  readonly since: string;
  /** When it stops or stopped signing; null for the newest. */
  readonly until: string | null;
  /** Whether it signed the newest checkpoint. */
  readonly signed: boolean;
}

/** Reads the answer of `/v1/ledger`; null before the first checkpoint. */
export function stateOf({
  as_of: asOf,
  tenant,
  checkpoint,
  witnessed,
  witnesses,
  growth,
  keys,
}: Ledger): LedgerState | null {
  if (checkpoint === null) return null;
  const size = BigInt(checkpoint.size);
  const entries = BigInt(asOf.index);
  const listed = keys.map(({ key: text, since, until }) => ({ text, key: parseVerifierKey(text), since, until }));
  const signers = signersOf(
    checkpoint,
    listed.flatMap(({ key }) => key ?? []),
  );
  return {
    tenant,
    checkpoint,
    size,
    // A checkpoint may be published between the parts of the answer.
    waiting: entries > size ? entries - size : 0n,
    unwitnessed: size - BigInt(witnessed?.size ?? 0),
    witnesses: witnesses.map(({ name, size: seen, at }) => ({
      name,
      size: BigInt(seen),
      at,
      behind: size - BigInt(seen),
    })),
    growth: growth.map((one) => ({ size: Number(one.size), at: Date.parse(one.at) })),
    keys: listed.map((one) => ({ ...one, signed: one.key !== undefined && signers.has(one.key) })),
    isSigned: signers.size > 0,
  };
}

/** The keys that signed the note; none if it says anything else than the answer. */
function signersOf(
  { origin, size, root, note: text }: Published,
  keys: readonly VerifierKey[],
): ReadonlySet<VerifierKey> {
  const note = parseNote(text);
  const said = note && parseCheckpoint(note.text);
  const isSame = said?.origin === origin && String(said.size) === size && said.root.toString('base64') === root;
  return new Set(note && isSame ? findSigners(note, keys)?.keys() : []);
}
