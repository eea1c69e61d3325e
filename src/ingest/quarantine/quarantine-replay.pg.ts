import type { Pool } from 'pg';
import {
  MAX_POST_BYTES,
  readElementAttributes,
  RescindError,
  type IntakeResult,
  type RejectCode,
} from '../../contracts/index.js';
import type { Caller, ControlFollower } from '../../control/index.js';
import { type Log } from '../../platform/log/index.js';
import { loadSql } from '../../platform/postgres/index.js';
import { accept, type Accepted, type Arrived, type Rejected } from '../accept/accept.js';
import type { Appender } from '../append/appender.pg.js';
import { resultOf } from '../post/intake.js';
import { readRecordHeaders } from '../append/quarantine.pg.js';
import type { Judged } from '../append/submission.js';
import { readManifest } from '../signed/manifests.pg.js';
import type { SignatureChecks } from '../signed/signature-checks.js';

/** Records of one call. A caller continues with `after`. */
export const MAX_REPLAYED = 1_000;
const DEFAULT_REPLAYED = 100;

const REPLAYABLE = loadSql(import.meta.url, 'replayable.sql');

/** Part of the quarantine: a tenant's, or null for the operator's, which unknown sources fill. */
export type Part = string | null;

export interface ReplayFilter {
  /** Id of a source, a UUID. */
  readonly source?: string;
  readonly code?: string;
  /** Epoch seconds of the refusal, half open. */
  readonly from?: number;
  readonly to?: number;
  readonly limit?: number;
  /** Id of the last record of the previous call. */
  readonly after?: string;
}

export type Replayed = { readonly id: string } & IntakeResult;

export interface Replay {
  /**
   * Decides again about one record, as it came, by the rights of this moment. Resolves when the record is stored and out of quarantine, or
   * refused again and kept with its new reason. Throws `not-found`.
   */
  one(part: Part, id: string): Promise<Replayed>;
  /** Replays the matching records, oldest first. `next` is set if more may match. */
  matching(part: Part, filter: ReplayFilter): Promise<{ readonly items: readonly Replayed[]; readonly next?: string }>;
}

export interface ReplayOptions {
  readonly pool: Pool;
  readonly follower: ControlFollower;
  readonly appender: Appender;
  readonly signatures: SignatureChecks;
  readonly log: Log;
  readonly now?: () => number;
}

interface Row {
  readonly id: string;
  readonly door: 'kafka' | 'http';
  readonly topic: string | null;
  readonly caller: string | null;
  readonly mode: Arrived['mode'];
  readonly bytes: Buffer;
  readonly record_headers: string;
}

export function createReplay({ pool, follower, appender, signatures, log, now = Date.now }: ReplayOptions): Replay {
  async function read(
    part: Part,
    id: string | undefined,
    { source, code, from, to, limit = DEFAULT_REPLAYED, after }: ReplayFilter,
  ): Promise<Row[]> {
    const values = [
      part,
      after ?? '0',
      id ?? null,
      source ?? null,
      code ?? null,
      from ?? null,
      to ?? null,
      limit,
      MAX_POST_BYTES,
    ];
    return (await pool.query<Row>(REPLAYABLE, values)).rows;
  }

  async function replay(part: Part, rows: readonly Row[]): Promise<Replayed[]> {
    const nowMs = now();
    const events: Judged[] = [];
    for (const row of rows) events.push({ ...(await judge(part, row, nowMs)), quarantined: row.id });
    const outcomes = events.length > 0 ? await appender.submit({ events }) : [];
    const stored = outcomes.filter(({ state }) => state !== 'rejected').length;
    log.info({ records: rows.length, stored }, 'replayed records from quarantine');
    return outcomes.map((outcome, at) => ({ id: rows[at]!.id, ...resultOf(outcome) }));
  }

  async function judge(part: Part, row: Row, nowMs: number): Promise<Accepted | Rejected> {
    const door: Arrived['door'] =
      row.door === 'kafka'
        ? { kind: 'kafka', topic: row.topic! }
        : { kind: 'http', caller: callerOfToday(part, row.caller!) };
    const headers = readRecordHeaders(row.record_headers);
    return accept(
      await withSignature(part, { mode: row.mode, headers, bytes: row.bytes, door }),
      follower.state,
      nowMs,
    );
  }

  /** Checks a signed event again, by the keys of this moment. */
  async function withSignature(part: Part, arrived: Arrived): Promise<Arrived> {
    if (arrived.mode === 'set') return signatures.checkSet(arrived);
    const element = arrived.mode === 'batch' ? readElementAttributes(arrived.headers) : undefined;
    if (!element) return arrived;
    const manifest = part === null ? undefined : await readManifest(pool, part, element.digest);
    return signatures.checkElement(arrived, manifest);
  }

  /**
   * Returns the caller with its present rights. A caller that may no longer emit owns no source, so `accept` refuses with
   * `source-not-allowed`.
   */
  function callerOfToday(part: Part, id: string): Caller {
    const caller = follower.state.caller(id);
    if (caller && !caller.disabled) return caller;
    return { id, tenant: part ?? '', roles: {}, secrets: [], disabled: true };
  }

  return {
    async one(part, id) {
      const rows = await read(part, id, { limit: 1 });
      if (rows.length > 0) return (await replay(part, rows))[0]!;
      const kept = await pool.query<{ code: RejectCode }>(
        'SELECT code FROM quarantine WHERE id = $1::bigint AND tenant IS NOT DISTINCT FROM $2::uuid',
        [id, part],
      );
      if (kept.rowCount === 0) throw new RescindError('not-found', { detail: 'no such record in quarantine' });
      return {
        id,
        error: kept.rows[0]!.code,
        detail: 'the record is not whole, because a part was cut or masked: its source must send it again',
      };
    },
    async matching(part, filter) {
      const limit = filter.limit ?? DEFAULT_REPLAYED;
      const rows = await read(part, undefined, { ...filter, limit });
      const items = await replay(part, rows);
      const bytes = rows.reduce((sum, row) => sum + row.bytes.length, 0);
      const last = rows.at(-1);
      return { items, ...(last && (rows.length === limit || bytes >= MAX_POST_BYTES) ? { next: last.id } : {}) };
    },
  };
}
