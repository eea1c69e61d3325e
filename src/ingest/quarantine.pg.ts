import type { Pool, PoolClient } from 'pg';
import { loadSql, maskSecrets, type Log, type Metrics } from '../platform/index.js';
import type { Rejected } from './accept.js';
import type { Judged, OffsetMove } from './submission.js';

/** Bytes of a refused event that are kept; the rest is cut, its size is not. */
export const MAX_QUARANTINED_BYTES = 64 * 1024;
/** How long a refused event is kept. */
export const QUARANTINE_DAYS = 7;
/** All refused events together; the oldest are dropped and counted. */
export const MAX_QUARANTINE_BYTES = 1024 * 1024 * 1024;

const WRITE = loadSql(import.meta.url, 'write-quarantine.sql');
const TRIM = loadSql(import.meta.url, 'trim-quarantine.sql');

export interface Refused {
  readonly rejected: Rejected & Judged;
  readonly offset: OffsetMove | undefined;
}

/** Keeps what was refused with its reason, token-shaped strings masked, in the transaction of its batch. */
export async function writeQuarantine(client: PoolClient, refused: readonly Refused[]): Promise<void> {
  if (refused.length === 0) return;
  const rejected = refused.map((one) => one.rejected);
  await client.query(WRITE, [
    rejected.map(({ source }) => source?.tenant ?? null),
    rejected.map(({ source }) => source?.id ?? null),
    rejected.map(({ code }) => code),
    rejected.map(({ detail }) => printable(detail)),
    rejected.map(({ arrived }) => arrived.door.kind),
    rejected.map(({ arrived }) => (arrived.door.kind === 'http' ? arrived.door.caller.id : null)),
    refused.map(({ offset }) => offset?.cluster ?? null),
    refused.map(({ offset }) => offset?.topic ?? null),
    refused.map(({ offset }) => offset?.partition ?? null),
    rejected.map(({ position }) => (position ? String(position.offset) : null)),
    rejected.map(({ arrived }) => arrived.bytes.length),
    rejected.map(({ arrived }) => printable(headersOf(arrived.headers))),
    rejected.map(({ arrived }) => mask(arrived.bytes)),
  ]);
}

/** Drops what is older than its days or beyond the bound, oldest first. Returns how many were dropped for want of room. */
export async function trimQuarantine(client: Pool): Promise<number> {
  const { rows } = await client.query<{ dropped: string }>(TRIM, [QUARANTINE_DAYS, MAX_QUARANTINE_BYTES]);
  return Number(rows[0]?.dropped ?? 0);
}

const headersOf = (headers: readonly (readonly [string, Buffer])[]): string =>
  headers.map(([name, value]) => `${name}: ${value.subarray(0, 1024).toString('utf8')}`).join('\n');

/** Latin-1 there and back keeps every byte that is not part of a token. */
const mask = (bytes: Buffer): Buffer => Buffer.from(maskSecrets(bytes.subarray(0, MAX_QUARANTINED_BYTES).toString('latin1')), 'latin1');

/** PostgreSQL's text holds neither NUL nor half a surrogate pair. */
const printable = (text: string): string => maskSecrets(text).replaceAll('\0', '\u2400').toWellFormed();

/** How often the bounds are kept. */
const TRIM_EVERY_MS = 60_000;

/** Keeps the quarantine within its bounds while the process runs. Returns what ends it. */
export function keepQuarantineBounded({ pool, log, metrics }: { pool: Pool; log: Log; metrics: Metrics }): () => void {
  const dropped = metrics.counter('rescind_quarantine_dropped_total', 'Refused events dropped for want of room before their time.');
  const timer = setInterval(() => {
    trimQuarantine(pool).then(
      (count) => dropped.inc(count),
      (error: unknown) => log.warn({ err: error }, 'the quarantine could not be trimmed'),
    );
  }, TRIM_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}
