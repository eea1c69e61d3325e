import type { Pool } from 'pg';
import type { IdJagIssued, TokenIssued } from '../../contracts/index.js';
import { loadSql } from '../../platform/postgres/index.js';
import { ruleKeyFromBytes, ruleKeyToBytes, type RuleKey } from '../../rules/index.js';
import { foldNearest, type NearestRow } from './nearest-row.js';
import { MAX_LINEAGE_HOPS, type Stored, type StoredLineage } from './stored-lineage.js';

export interface LineageReader {
  /** Reads the lineages of tokens: one statement for all keys, and a second for those with parents. Undefined for a token that is not recorded. */
  tokens(tenant: string, keys: readonly RuleKey[]): Promise<readonly (StoredLineage | undefined)[]>;
  /** Reads the lineages of ID-JAGs, by either of their keys. */
  idJags(tenant: string, keys: readonly RuleKey[]): Promise<readonly (StoredLineage | undefined)[]>;
}

const READ_NEAREST = loadSql(import.meta.url, 'read-nearest.sql');
const READ_LINEAGE = loadSql(import.meta.url, 'read-lineage.sql');
const TOKEN = 1;
const ID_JAG = 2;

interface Row {
  nth: string;
  kind: number;
  broken: boolean;
  key: Buffer | null;
  ix: string;
  seen_seq: string;
  source: string;
  facts: unknown;
  id_jag_key: Buffer | null;
  parent_key: Buffer | null;
  conflict: boolean;
}

type Found = (StoredLineage | undefined)[];

export function createLineageReader({ pool }: { pool: Pool }): LineageReader {
  /** Reads whole lineages, up to `MAX_LINEAGE_HOPS`. */
  async function walk(tenant: string, kind: number, keys: readonly RuleKey[]): Promise<Found> {
    if (keys.length === 0) return [];
    const { rows } = await pool.query<Row>({
      name: 'read-lineage',
      text: READ_LINEAGE,
      values: [tenant, keys.map(ruleKeyToBytes), kind, MAX_LINEAGE_HOPS],
    });
    const walks = keys.map((): Row[] => []);
    for (const row of rows) walks[Number(row.nth) - 1]!.push(row);
    return walks.map(foldWalk);
  }

  async function readTokens(tenant: string, keys: readonly RuleKey[]): Promise<Found> {
    if (keys.length === 0) return [];
    const { rows } = await pool.query<NearestRow>({
      name: 'read-nearest',
      text: READ_NEAREST,
      values: [tenant, keys.map(ruleKeyToBytes)],
      rowMode: 'array',
      types: AS_TEXT,
    });
    const found: Found = keys.map(() => undefined);
    const further = new Set<number>();
    for (const row of rows) {
      const at = Number(row[0]) - 1;
      const lineage = foldNearest(keys[at]!, row, found[at]);
      if (lineage.tokens[0]!.parentKey !== undefined || lineage.idJags.some(({ parentKey }) => parentKey !== undefined))
        further.add(at);
      found[at] = lineage;
    }
    const places = [...further];
    // These lineages are read again as a whole, because two statements see two moments.
    const walks = await walk(
      tenant,
      TOKEN,
      places.map((at) => keys[at]!),
    );
    places.forEach((at, nth) => (found[at] = walks[nth]));
    return found;
  }

  return { tokens: readTokens, idJags: (tenant, keys) => walk(tenant, ID_JAG, keys) };
}

/** Makes the driver return text. Its own parsing (an object for each row, a buffer for each key) would cost more than the statement. */
export const AS_TEXT = { getTypeParser: () => (text: string) => text };

function foldWalk(walk: readonly Row[]): StoredLineage | undefined {
  if (walk[0]?.key === null || walk[0] === undefined) return undefined;
  const found = walk.filter((row): row is Row & { key: Buffer } => row.key !== null);
  return {
    tokens: found
      .filter(({ kind }) => kind === TOKEN)
      .map((row) => ({
        ...stored<TokenIssued>(row),
        idJagKey: row.id_jag_key ? ruleKeyFromBytes(row.id_jag_key) : undefined,
      })),
    idJags: found.filter(({ kind }) => kind === ID_JAG).map((row) => stored<IdJagIssued>(row)),
    complete: found.length === walk.length,
    broken: walk.some(({ broken }) => broken),
  };
}

function stored<Facts>(row: Row & { key: Buffer }): Stored<Facts> {
  return {
    key: ruleKeyFromBytes(row.key),
    ix: BigInt(row.ix),
    seenSeq: BigInt(row.seen_seq),
    source: row.source,
    facts: row.facts as Facts,
    conflict: row.conflict,
    parentKey: row.parent_key ? ruleKeyFromBytes(row.parent_key) : undefined,
  };
}
