import { parseCompactJws, readElementAttributes } from '../../contracts/index.js';
import {
  encodeEntry,
  parseAttributes,
  type Evidence,
  type EvidencePayload,
  type EvidenceSigned,
} from '../../merkle/index.js';
import { loadSql, type Pool } from '../../platform/postgres/index.js';
import { createProver, type ProveEntry } from '../publish/published.pg.js';
import type { EntryRow } from '../read.pg.js';

type Session = Pick<Pool, 'query'>;

const ENTRIES = loadSql(import.meta.url, 'entries.sql');
const KEY_ENTRY = loadSql(import.meta.url, 'key-entry.sql');
const MANIFEST = 'SELECT jws FROM signed_manifest WHERE tenant = $1 AND digest = $2';

type Row = Omit<EntryRow, 'said'>;

/**
 * Gathers the evidence of entries by their indexes, in ledger order. Leaves out entries that no published checkpoint covers, and indexes that
 * the ledger does not have. `withSigned`: an entry that came signed comes with what proves its source's signature.
 */
export async function readEvidence(
  session: Session,
  tenant: string,
  indexes: readonly bigint[],
  { withSigned }: { readonly withSigned: boolean },
): Promise<readonly Evidence[]> {
  const prove = await createProver(session, tenant);
  const { rows } = await session.query<Row>(ENTRIES, [tenant, indexes.map(String)]);
  const findKeys = createKeyFinder(session, tenant, prove);
  const found: Evidence[] = [];
  for (const row of rows) {
    const proof = await prove(BigInt(row.ix));
    if (proof === undefined) continue;
    const jws = row.mode === null ? undefined : await signatureOf(session, tenant, row);
    const signed = jws && { signed: withSigned ? await signedBy(jws, row, findKeys) : null };
    found.push({ entry: entryOf(row), payload: payloadOf(row), ...signed, proof });
  }
  return found;
}

const entryOf = ({ ix, arrival, type, source, commitment }: Row): Buffer =>
  encodeEntry({ index: BigInt(ix), arrivalMs: BigInt(arrival), type, source, commitment });

const payloadOf = ({ mode, salt, attributes, bytes }: Row): EvidencePayload | null =>
  mode === null ? null : { mode, salt, attributes, bytes };

interface Signature {
  /** Undefined if it is lost. */
  readonly jws: string | undefined;
  readonly manifest: string | null;
}

/** Finds the signature of an entry that came signed: its own, or that of the manifest that names it. */
async function signatureOf(session: Session, tenant: string, row: Row): Promise<Signature | undefined> {
  if (row.mode === 'set') return { jws: row.bytes.toString('latin1'), manifest: null };
  const element = row.mode === 'batch' ? readElementAttributes(parseAttributes(row.attributes) ?? []) : undefined;
  if (element === undefined) return undefined;
  const { rows } = await session.query<{ jws: string }>(MANIFEST, [tenant, element.digest]);
  const jws = rows[0]?.jws;
  return { jws, manifest: jws ?? null };
}

type FindKeys = (row: Row, kid: string) => Promise<EvidenceSigned['keys'] | undefined>;

/** Finds the entry, before another one, in which the source of that one has a key. Reads the entry of each key once. */
function createKeyFinder(session: Session, tenant: string, prove: ProveEntry): FindKeys {
  const known = new Map<string, Promise<EvidenceSigned['keys'] | undefined>>();
  async function find({ ix, source }: Row, kid: string): Promise<EvidenceSigned['keys'] | undefined> {
    const { rows } = await session.query<Row>(KEY_ENTRY, [tenant, ix, source, JSON.stringify([{ kid }])]);
    const [row] = rows;
    const proof = row && (await prove(BigInt(row.ix)));
    return proof && { entry: entryOf(row!), payload: payloadOf(row!)!, proof };
  }
  return (row, kid) => {
    const name = JSON.stringify([row.source, kid]);
    let keys = known.get(name);
    if (keys === undefined) known.set(name, (keys = find(row, kid)));
    return keys;
  };
}

async function signedBy({ jws, manifest }: Signature, row: Row, findKeys: FindKeys): Promise<EvidenceSigned | null> {
  const kid = jws === undefined ? undefined : parseCompactJws(jws)?.header['kid'];
  const keys = typeof kid === 'string' ? await findKeys(row, kid) : undefined;
  return keys === undefined ? null : { manifest, keys };
}
