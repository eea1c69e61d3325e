import { instantText, readElementAttributes, RescindError, type LedgerState } from '../../contracts/index.js';
import type { EntryRow as LogRow } from '../../log/index.js';
import { parseAttributes } from '../../merkle/index.js';
import { loadSql } from '../../platform/postgres/index.js';
import type { EntryAnswer } from './answers.js';
import { asOfOf } from '../ask/as-of.js';
import { readFlag, readIndex, readParameters } from '../ask/parameters.js';
import type { Reader } from '../ask/reader.js';
import { readEvidenceFiles } from '../evidence/evidence.pg.js';
import type { Ask, Snapshot } from '../../projections/index.js';

const MANIFEST = { name: 'manifest', text: 'SELECT jws FROM signed_manifest WHERE tenant = $1 AND digest = $2' };
const ENTRY = { name: 'entry', text: loadSql(import.meta.url, 'entry.sql') };

/**
 * Reads one entry as it is stored, with everything that a reader needs to recompute its commitment and leaf hash
 * (wire.md, "Entry"), and with its evidence if that is asked for.
 */
export function createEntryQuestion({ ask, reader }: { readonly ask: Ask; readonly reader: Reader }) {
  return (tenant: string, index: string, query: unknown): Promise<EntryAnswer> => {
    const withEvidence = readFlag(readParameters(query, ['evidence']), 'evidence', false);
    const ix = readIndex(index);
    return ask(tenant, async (snapshot) => {
      const [row] = await snapshot.rows<EntryRow>(ENTRY, [String(ix)]);
      if (!row) throw new RescindError('not-found', { detail: `the ledger has ${snapshot.index} entries` });
      const [evidence = null] = withEvidence ? await readEvidenceFiles(snapshot, [ix]) : [];
      return {
        as_of: asOfOf(snapshot),
        index: row.ix,
        state: row.state,
        arrival: instantText(Number(row.arrival)),
        type: row.type,
        source: reader.source(row.source),
        commitment: row.commitment.toString('base64'),
        leaf_hash: row.leaf_hash.toString('base64'),
        payload:
          row.mode === null
            ? null
            : {
                mode: row.mode,
                salt: row.salt.toString('base64'),
                attributes: row.attributes.toString('base64'),
                bytes: row.bytes.toString('base64'),
                manifest: await manifestOf(snapshot, row),
              },
        ...(withEvidence ? { evidence } : {}),
      };
    });
  };
}

/** Reads the manifest that names the event, if it came in a signed batch. */
async function manifestOf(snapshot: Snapshot, { mode, attributes }: EntryRow): Promise<string | null> {
  const element = mode === 'batch' ? readElementAttributes(parseAttributes(attributes) ?? []) : undefined;
  if (!element) return null;
  const [row] = await snapshot.rows<{ readonly jws: string }>(MANIFEST, [element.digest]);
  return row?.jws ?? null;
}

interface EntryRow extends Omit<LogRow, 'said'> {
  readonly [column: string]: unknown;
  readonly state: LedgerState;
  readonly leaf_hash: Buffer;
}
