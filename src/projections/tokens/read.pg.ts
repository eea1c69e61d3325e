import type { Pool } from 'pg';
import type { IdJagIssued, TokenIssued } from '../../contracts/index.js';
import { loadSql } from '../../platform/index.js';
import { ruleKeyFromBytes, ruleKeyToBytes, type RuleKey } from '../../rules/index.js';

/** Steps from token to token; a longer lineage is broken (design, section 2). */
export const MAX_LINEAGE_HOPS = 8;

interface Stored<Facts> {
  readonly key: RuleKey;
  readonly ix: bigint;
  /** Control head when its batch began: a rule with a higher seq was ordered later. */
  readonly seenSeq: bigint;
  /** Id of the source that said it. */
  readonly source: string;
  readonly facts: Facts;
  /** Another event contradicts it: never active. */
  readonly conflict: boolean;
  readonly parentKey: RuleKey | undefined;
}

export type StoredIdJag = Stored<IdJagIssued>;
export type StoredToken = Stored<TokenIssued> & { readonly idJagKey: RuleKey | undefined };

/** What was asked for stands first in its list, its ancestors after it. */
export interface StoredLineage {
  readonly tokens: readonly StoredToken[];
  readonly idJags: readonly StoredIdJag[];
  /** Every ancestor that is named anywhere was found: the lineage cannot change any more, conflicts apart. */
  readonly complete: boolean;
  /** A cycle, or more than `MAX_LINEAGE_HOPS`: never active. */
  readonly broken: boolean;
}

export interface LineageReader {
  /** One statement for all keys. `undefined`: no such token is recorded. */
  tokens(tenant: string, keys: readonly RuleKey[]): Promise<readonly (StoredLineage | undefined)[]>;
  /** Likewise for ID-JAGs, by either of their keys. */
  idJags(tenant: string, keys: readonly RuleKey[]): Promise<readonly (StoredLineage | undefined)[]>;
}

const READ = loadSql(import.meta.url, 'read-lineage.sql');
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

export function createLineageReader({ pool }: { pool: Pool }): LineageReader {
  async function read(tenant: string, kind: number, keys: readonly RuleKey[]): Promise<(StoredLineage | undefined)[]> {
    if (keys.length === 0) return [];
    const { rows } = await pool.query<Row>({
      name: 'read-lineage',
      text: READ,
      values: [tenant, keys.map(ruleKeyToBytes), kind, MAX_LINEAGE_HOPS],
    });
    const walks = keys.map((): Row[] => []);
    for (const row of rows) walks[Number(row.nth) - 1]!.push(row);
    return walks.map(foldWalk);
  }
  return {
    tokens: (tenant, keys) => read(tenant, TOKEN, keys),
    idJags: (tenant, keys) => read(tenant, ID_JAG, keys),
  };
}

function foldWalk(walk: readonly Row[]): StoredLineage | undefined {
  if (walk[0]?.key === null || walk[0] === undefined) return undefined;
  const found = walk.filter((row): row is Row & { key: Buffer } => row.key !== null);
  return {
    tokens: found
      .filter(({ kind }) => kind === TOKEN)
      .map((row) => ({ ...stored<TokenIssued>(row), idJagKey: row.id_jag_key ? ruleKeyFromBytes(row.id_jag_key) : undefined })),
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
