import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import {
  archiveNext,
  pathOf,
  readManifest,
  TABLES,
  tenantDirectory,
  type ArchivedFile,
  type Manifest,
  type TableName,
  type Wrote,
} from '../../../src/archive/index.js';
import { accept, kafkaMode } from '../../../src/ingest/accept/accept.js';
import { makeTraffic } from '../../fault/traffic.js';
import { createStage, IDP, RAS, type Stage } from '../../support/stage.js';

/** Entries of a segment in specs: ranges close soon, and lineages lie across them. */
export const FEW = 64n;

/** A segment starts a process, which takes seconds on a busy machine; a spec writes several. */
export const MANY_SEGMENTS_MS = 300_000;

export type Row = Readonly<Record<string, unknown>>;

export interface ArchiveWorld {
  readonly stage: Stage;
  readonly root: string;
  readonly query: <R extends object = Row>(sql: string, values?: readonly unknown[]) => Promise<R[]>;
  /** Archives every range that has closed. */
  archive(segmentEntries?: bigint): Promise<readonly Wrote[]>;
  manifest(tenant?: string): Promise<Manifest>;
  /** Paths of all files below the root. */
  files(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

export async function createArchiveWorld(): Promise<ArchiveWorld> {
  const stage = await createStage();
  const root = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-archive-`));
  const { pool } = stage.database;
  return {
    stage,
    root,
    query: async <R extends object>(sql: string, values: readonly unknown[] = []) =>
      (await pool.query(sql, [...values])).rows as R[],
    async archive(segmentEntries = FEW) {
      const written: Wrote[] = [];
      for (;;) {
        const wrote = await archiveNext({ pool, root, segmentEntries });
        if (wrote === undefined) return written;
        written.push(wrote);
      }
    },
    manifest: (tenant = stage.tenant) =>
      readManifest(async (sql, values = []) => (await pool.query(sql, [tenant, ...values])).rows as never),
    files: () => listFiles(root),
    async stop() {
      await stage.stop();
      await rm(root, { recursive: true, force: true });
    },
  };
}

export const listFiles = async (root: string): Promise<readonly string[]> =>
  (await readdir(root, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();

/** Everything that can come, in no order, an event a transaction. Calls `after` with the ledger's length after each. */
export async function submitSingly(
  { stage, query }: ArchiveWorld,
  {
    seed,
    lineages,
    after = async () => undefined,
  }: { seed: number; lineages: number; after?: (head: bigint) => Promise<void> },
): Promise<void> {
  for (const { to, message } of makeTraffic({ seed, lineages, idpUri: `${IDP}/events`, chatUri: `${RAS}/events` })) {
    const headers = Object.entries(message.headers ?? {}).map(
      ([name, value]) => [name, Buffer.from(String(value))] as const,
    );
    const door = { kind: 'kafka', topic: (to === 'idp' ? stage.idp : stage.chat).topic } as const;
    const judged = accept(
      { mode: kafkaMode(headers), headers, bytes: Buffer.from(message.value ?? ''), door },
      stage.follower.state,
      Date.now(),
    );
    await stage.appender.submit({ events: [judged] });
    const [head] = await query<{ next_ix: string }>('SELECT next_ix FROM ledger_head WHERE tenant = $1', [
      stage.tenant,
    ]);
    await after(BigInt(head?.next_ix ?? 0));
  }
}

/** Runs SQL in a DuckDB of the spec; numbers of 64 bits come as text, as PostgreSQL's do. */
export async function duck(...statements: readonly string[]): Promise<Row[]> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  try {
    let rows: Row[] = [];
    for (const statement of statements) rows = (await connection.runAndReadAll(statement)).getRowObjectsJson() as Row[];
    return rows;
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** Reads the rows of a file, in its order. */
export function readFileRows({ root, stage }: ArchiveWorld, file: ArchivedFile, tenant = stage.tenant): Promise<Row[]> {
  const selected = TABLES[file.name].columns.map(({ name, type }) =>
    type === 'BLOB' ? `lower(hex(${name})) AS ${name}` : name,
  );
  return duck(
    `SELECT ${selected.join(', ')} FROM read_parquet('${join(tenantDirectory(root, tenant), pathOf(file))}', hive_partitioning = false)`,
  );
}

/** The tables as they stand, under the archive's names of columns. */
export const LIVE: Readonly<Record<'uses' | 'token', string>> = {
  uses: `
    SELECT ix, at AS first_at, until_at AS last_at, bound_ix, usr, client, agent, agent_ix, res, res_bound, foreign_ix, scopes, op, outcome, status,
           route, addr, source, encode(tok, 'hex') AS tok, n, records, bytes
    FROM access WHERE tenant = $1 ORDER BY ix`,
  token: `
    SELECT encode(key, 'hex') AS key, ix, facts ->> 'kind' AS kind, source, bound_ix, usr, client, agent, agent_ix, res,
           encode(id_jag_key, 'hex') AS id_jag_key, encode(parent_key, 'hex') AS parent_key, iat, exp, conflict_ix
    FROM token WHERE tenant = $1 ORDER BY ix, key`,
};

export const LATE_FACTS = ['bound_ix', 'usr', 'client', 'agent', 'agent_ix', 'res', 'res_bound', 'foreign_ix'] as const;

export const only = (row: Row, names: readonly string[]): Row =>
  Object.fromEntries(names.map((name) => [name, row[name]]));

export const filesOf = ({ files }: Manifest, name: TableName): readonly ArchivedFile[] =>
  files.filter((file) => file.name === name);
