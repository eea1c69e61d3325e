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
import { accept, type Arrived } from '../accept/accept.js';
import type { Appender } from '../append/appender.pg.js';
import { resultOf } from '../post/intake.js';
import { MAX_BATCH_OF_ONE } from '../append/next-batch.js';
import { isSignedBatch, readRecordHeaders } from '../append/quarantine.pg.js';
import type { Judged, Outcome } from '../append/submission.js';
import { portionsOf } from '../append/weight.js';
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

/** Outcome of one record. A signed batch that was refused whole has one outcome for each of its events. */
export type Replayed = { readonly id: string } & (IntakeResult | { readonly batch: readonly IntakeResult[] });

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
    const records: { readonly row: Row; readonly opened: boolean; readonly events: readonly Judged[] }[] = [];
    for (const row of rows) {
      const arrived = arrivedOf(part, row);
      const opened = isSignedBatch(arrived) ? await signatures.openBatch(arrived.bytes, arrived.door) : undefined;
      const judged = (one: Arrived): Judged => accept(one, follower.state, nowMs);
      const events: Judged[] = opened?.events
        ? opened.events.map(judged)
        : [
            {
              ...(opened
                ? { accepted: false, ...opened.refused, arrived }
                : judged(await withSignature(part, arrived))),
              quarantined: row.id,
            },
          ];
      records.push({ row, opened: opened?.events !== undefined, events });
    }
    const outcomes = await submit(records.flatMap(({ events }) => events));
    await dropOpened(
      part,
      records.filter(({ opened }) => opened).map(({ row }) => row.id),
    );
    const stored = outcomes.filter(({ state }) => state !== 'rejected').length;
    log.info({ records: rows.length, stored }, 'replayed records from quarantine');
    let from = 0;
    return records.map(({ row: { id }, opened, events }) => {
      const results = outcomes.slice(from, (from += events.length)).map(resultOf);
      return opened ? { id, batch: results } : { id, ...results[0]! };
    });
  }

  async function submit(events: readonly Judged[]): Promise<Outcome[]> {
    const portions = portionsOf(events, MAX_BATCH_OF_ONE);
    return (await Promise.all(portions.map((portion) => appender.submit({ events: portion })))).flat();
  }

  /** Removes batches whose events are all stored, or refused as records of their own. A crash before it leaves the batch, whose events are duplicates then. */
  async function dropOpened(part: Part, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await pool.query('DELETE FROM quarantine WHERE tenant IS NOT DISTINCT FROM $1::uuid AND id = ANY ($2::bigint[])', [
      part,
      ids,
    ]);
  }

  const arrivedOf = (part: Part, { mode, bytes, record_headers, door, topic, caller }: Row): Arrived => ({
    mode,
    headers: readRecordHeaders(record_headers),
    bytes,
    door: door === 'kafka' ? { kind: 'kafka', topic: topic! } : { kind: 'http', caller: callerOfToday(part, caller!) },
  });

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
