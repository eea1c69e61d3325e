import { proveInclusion, type ProofFile } from '../../merkle/index.js';
import type { Pool } from '../../platform/postgres/index.js';
import { readTreeNodes } from '../tree/tiles.pg.js';

type Session = Pick<Pool, 'query'>;

/** A published checkpoint. */
export interface Published {
  readonly incarnation: number;
  readonly size: bigint;
  readonly note: string;
  readonly at: Date;
  /** The newest one that a witness cosigned; it may cover fewer entries. */
  readonly witnessed: { readonly size: bigint; readonly note: string; readonly at: Date } | undefined;
}

interface Row {
  readonly incarnation: number;
  readonly size: string;
  readonly note: string;
  readonly at: Date;
  readonly witnessed_size: string | null;
  readonly witnessed_note: string | null;
  readonly witnessed_at: Date | null;
}

/** Reads the newest published checkpoint of an incarnation, by default of the present one; undefined if there is none. */
export async function readPublished(
  session: Session,
  tenant: string,
  incarnation?: number,
): Promise<Published | undefined> {
  const { rows } = await session.query<Row>(
    `SELECT incarnation, size, note, at, witnessed_size, witnessed_note, witnessed_at FROM ledger_checkpoint
      WHERE tenant = $1 AND incarnation = coalesce($2, (SELECT incarnation FROM tree_head WHERE tenant = $1))`,
    [tenant, incarnation ?? null],
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  const { witnessed_size: size, witnessed_note: note, witnessed_at: at } = row;
  return {
    incarnation: row.incarnation,
    size: BigInt(row.size),
    note: row.note,
    at: row.at,
    witnessed: size !== null && note !== null && at !== null ? { size: BigInt(size), note, at } : undefined,
  };
}

/** How far a witness has followed a ledger. */
export interface WitnessSeen {
  readonly name: string;
  /** Size of the largest checkpoint that it cosigned; 0: none. */
  readonly size: bigint;
  /** When it cosigned that one. */
  readonly at: Date | null;
}

/** Lists the witnesses that are asked to cosign an incarnation, by name. */
export async function listWitnesses(
  session: Session,
  tenant: string,
  incarnation: number,
): Promise<readonly WitnessSeen[]> {
  const { rows } = await session.query<{ name: string; size: string; at: Date | null }>(
    'SELECT name, size, at FROM ledger_witness WHERE tenant = $1 AND incarnation = $2 ORDER BY name',
    [tenant, incarnation],
  );
  return rows.map(({ name, size, at }) => ({ name, size: BigInt(size), at }));
}

/** Proves an entry; undefined if no published checkpoint covers it. */
export type ProveEntry = (index: bigint) => Promise<ProofFile | undefined>;

/**
 * Reads what is published, and proves entries by it: by the newest checkpoint that a witness cosigned, if it covers the entry, else by the
 * newest. Proofs share the tiles that they read.
 */
export async function createProver(session: Session, tenant: string): Promise<ProveEntry> {
  const published = await readPublished(session, tenant);
  const heads = [published?.witnessed, published].flatMap((checkpoint) =>
    checkpoint ? [{ ...checkpoint, readNodes: readTreeNodes(session, tenant, checkpoint.size) }] : [],
  );
  return async (index) => {
    const covering = heads.find(({ size }) => size > index);
    if (covering === undefined) return undefined;
    const { size, note: checkpoint, readNodes } = covering;
    return { index, path: await proveInclusion(index, size, readNodes), checkpoint };
  };
}
