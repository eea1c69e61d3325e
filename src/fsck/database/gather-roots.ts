import type { VerifierKey } from '../../merkle/index.js';
import type { Found } from './found.js';
import type { LedgerMoment } from './head.pg.js';
import type { EarlierRoot } from './incarnations.js';
import type { KeptNote } from './kept-notes.js';
import { countCosigners, hasCosignature, readSignedRoot, type SignedRoot, type WantedRoot } from './signed-roots.js';

export interface GatheredRoots {
  /** Roots that sizes of the tree must have. */
  readonly roots: readonly WantedRoot[];
  /** Signed checkpoints that may cover entries which were lost. */
  readonly earlier: readonly EarlierRoot[];
  /** Cosignatures of the witnesses that hold. */
  readonly cosignatures: number;
  /** Tells which checkpoint a note is: by the name of its file, or by its signed text. */
  saidBy(note: KeptNote): { readonly incarnation: number; readonly size: bigint } | undefined;
}

export interface GatherRootsOptions {
  readonly tenant: string;
  readonly moment: LedgerMoment;
  readonly notes: readonly KeptNote[];
  readonly keys: readonly Buffer[];
  readonly witnesses: readonly VerifierKey[];
  readonly found: Found;
}

/** Checks the signatures of every checkpoint, and gathers the roots that they sign. */
export function gatherRoots({ tenant, moment, notes, keys, witnesses, found }: GatherRootsOptions): GatheredRoots {
  const { head, checkpoints } = moment;
  const roots: WantedRoot[] = [];
  const earlier: EarlierRoot[] = [];
  let cosignatures = 0;
  const present = head.incarnation ?? 1;
  if (head.size !== null && head.root !== null)
    roots.push({ kind: 'tree_head', place: 'tree_head', size: BigInt(head.size), root: head.root });
  // One tree serves all incarnations, and a database covers its own checkpoints: those of an earlier incarnation are roots of it, too.
  const published = new Map(checkpoints.map(({ incarnation, size }) => [incarnation, BigInt(size)]));
  const signed = (
    kind: WantedRoot['kind'],
    place: string,
    note: string,
    said: { readonly incarnation?: number; readonly size?: bigint },
  ): void => {
    const root = readSignedRoot(note, { tenant, ...said }, keys);
    if (typeof root === 'string') found.add(kind, place, root);
    else if (root.incarnation > present)
      found.add(
        kind,
        place,
        `is of incarnation ${root.incarnation}, and the ledger of ${present}: an old backup was restored`,
      );
    else if (root.incarnation === present || root.size <= (published.get(root.incarnation) ?? -1n))
      roots.push({ kind, place, size: root.size, root: root.root });
    else earlier.push({ kind, place, ...root });
  };
  const cosigned = (place: string, note: string): void => {
    const count = countCosigners(note, witnesses);
    if (count === undefined) found.add('ledger_checkpoint', place, 'has a cosignature that does not hold');
    cosignatures += count ?? 0;
  };
  for (const { incarnation, size, note, witnessed_size, witnessed_note } of checkpoints) {
    const place = `ledger_checkpoint ${incarnation}`;
    signed('ledger_checkpoint', place, note, { incarnation, size: BigInt(size) });
    cosigned(place, note);
    if (witnessed_size === null || witnessed_note === null) continue;
    const witnessed = `${place} (witnessed)`;
    signed('ledger_checkpoint', witnessed, witnessed_note, { incarnation, size: BigInt(witnessed_size) });
    if (!hasCosignature(witnessed_note)) found.add('ledger_checkpoint', witnessed, 'has no cosignature');
    // The newest checkpoint is the same note if its witnesses have seen it.
    if (witnessed_note !== note) cosigned(witnessed, witnessed_note);
  }
  for (const { kind, place, note, incarnation, size } of notes)
    signed(kind, place, note, { ...(incarnation && { incarnation }), ...(size !== undefined && { size }) });
  return {
    roots,
    earlier,
    cosignatures,
    saidBy({ note, incarnation, size }) {
      if (incarnation !== undefined && size !== undefined) return { incarnation, size };
      const root: SignedRoot | string = readSignedRoot(note, { tenant }, keys);
      return typeof root === 'string' ? undefined : root;
    },
  };
}
