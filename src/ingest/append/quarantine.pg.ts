import { createHash } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import { maskSecrets, type Log } from '../../platform/log/index.js';
import { type Metrics } from '../../platform/observe/index.js';
import { loadSql } from '../../platform/postgres/index.js';
import type { Arrived, Rejected } from '../accept/accept.js';
import type { Judged, OffsetMove, Outcome } from './submission.js';

/** Bytes of a refused event that are kept, and as many of its headers; the rest is cut, its size is not. */
export const MAX_QUARANTINED_BYTES = 64 * 1024;
/** How long a refused event is kept. */
export const QUARANTINE_DAYS = 7;
/** All refused events of a tenant, and all of unknown sources; the oldest are dropped and counted. */
export const MAX_QUARANTINE_BYTES = 1024 * 1024 * 1024;

const WRITE = loadSql(import.meta.url, 'write-quarantine.sql');
const REFUSE_AGAIN = loadSql(import.meta.url, 'refuse-again.sql');
const TRIM = loadSql(import.meta.url, 'trim-quarantine.sql');

export interface Refused {
  readonly rejected: Rejected & Judged;
  readonly offset: OffsetMove | undefined;
}

/**
 * Keeps what was refused with its reason, token-shaped strings masked, in the transaction of its batch. What comes out of
 * quarantine and is refused again stays the same row.
 */
export async function writeQuarantine(client: PoolClient, refused: readonly Refused[]): Promise<void> {
  await refuseAgain(client, refused.map(({ rejected }) => rejected).filter(({ quarantined }) => quarantined !== undefined));
  const fresh = refused.filter(({ rejected }) => rejected.quarantined === undefined);
  if (fresh.length === 0) return;
  const reasons = new Map<string, number>();
  const parts: Buffer[] = [];
  const numbers: Record<'reason' | 'offset' | 'size' | 'headers' | 'bytes' | 'record', (number | bigint | null)[]> = {
    reason: [], offset: [], size: [], headers: [], bytes: [], record: [],
  };
  for (const one of fresh) {
    const { arrived, position } = one.rejected;
    const { headers, bytes, recordHeaders, digest } = keep(arrived);
    const reason = JSON.stringify(reasonOf(one));
    if (!reasons.has(reason)) reasons.set(reason, reasons.size);
    numbers.reason.push(reasons.get(reason)!);
    numbers.offset.push(position?.offset ?? null);
    numbers.size.push(arrived.bytes.length);
    numbers.headers.push(headers.length);
    numbers.bytes.push(bytes.length);
    numbers.record.push(recordHeaders?.length ?? null);
    parts.push(digest, headers, bytes, ...(recordHeaders ? [recordHeaders] : []));
  }
  const { reason, offset, size, headers, bytes, record } = numbers;
  const values = [`[${[...reasons.keys()].join()}]`, Buffer.concat(parts), ...[reason, offset, size, headers, bytes, record].map(arrayOf)];
  await client.query(WRITE, values);
}

/** As PostgreSQL reads an array: the driver's own way with a thousand of them takes longer than the statement. */
const arrayOf = (numbers: readonly (number | bigint | null)[]): string => `{${numbers.map((one) => one ?? 'NULL').join()}}`;

/** What many records of a flood have in common. */
function reasonOf({ rejected, offset }: Refused): Readonly<Record<string, unknown>> {
  const { source, code, detail, arrived } = rejected;
  return {
    tenant: source?.tenant,
    source: source?.id,
    code,
    detail: printable(detail),
    door: arrived.door.kind,
    caller: arrived.door.kind === 'http' ? arrived.door.caller.id : undefined,
    cluster: offset?.cluster,
    topic: offset?.topic,
    partition: offset?.partition,
    mode: arrived.mode,
  };
}

async function refuseAgain(client: PoolClient, rejected: readonly (Rejected & Judged)[]): Promise<void> {
  if (rejected.length === 0) return;
  await client.query(REFUSE_AGAIN, [
    rejected.map(({ quarantined }) => quarantined),
    rejected.map(({ source }) => source?.tenant ?? null),
    rejected.map(({ source }) => source?.id ?? null),
    rejected.map(({ code }) => code),
    rejected.map(({ detail }) => printable(detail)),
  ]);
}

/** What came out of quarantine and is stored now, or was before, leaves it in the transaction that stores it. */
export async function leaveQuarantine(client: PoolClient, outcomes: ReadonlyMap<Judged, Outcome>): Promise<void> {
  const stored = [...outcomes].flatMap(([{ quarantined }, { state }]) => (quarantined !== undefined && state !== 'rejected' ? [quarantined] : []));
  if (stored.length > 0) await client.query('DELETE FROM quarantine WHERE id = ANY($1::bigint[])', [stored]);
}

interface Kept {
  readonly headers: Buffer;
  readonly bytes: Buffer;
  /** All headers as they came, [name, base64] each; null where something was cut or masked. */
  readonly recordHeaders: Buffer | null;
  readonly digest: Buffer;
}

function keep({ headers, bytes }: Arrived): Kept {
  const digest = createHash('sha256').update(bytes);
  let size = bytes.length;
  for (const [name, value] of headers) {
    digest.update(`${name.length}:${name}${value.length}:`).update(value);
    size += name.length + value.length;
  }
  const shown = headersOf(headers);
  const kept = mask(bytes);
  const whole = size <= MAX_QUARANTINED_BYTES && kept.equals(bytes) && headers.every(([, value]) => maskSecrets(value.toString('latin1')) === value.toString('latin1'));
  return {
    headers: Buffer.from(printable(shown)),
    bytes: kept,
    recordHeaders: whole ? Buffer.from(JSON.stringify(headers.map(([name, value]) => [Buffer.from(name).toString('base64'), value.toString('base64')]))) : null,
    digest: digest.digest(),
  };
}

/** The reverse of what `record_headers` holds. */
export const readRecordHeaders = (text: string): Arrived['headers'] =>
  (JSON.parse(text) as [string, string][]).map(([name, value]) => [Buffer.from(name, 'base64').toString(), Buffer.from(value, 'base64')]);

export interface QuarantineBounds {
  readonly days: number;
  readonly bytes: number;
}

/** Drops what is older than its days or beyond the bound of its tenant, oldest first. Returns how many were dropped for want of room. */
export async function trimQuarantine(
  client: Pool,
  { days, bytes }: QuarantineBounds = { days: QUARANTINE_DAYS, bytes: MAX_QUARANTINE_BYTES },
): Promise<number> {
  const { rows } = await client.query<{ dropped: string }>(TRIM, [`${days} days`, bytes]);
  return Number(rows[0]?.dropped ?? 0);
}

function headersOf(headers: Arrived['headers']): string {
  const lines: string[] = [];
  let length = 0;
  for (const [name, value] of headers) {
    const line = `${name}: ${value.subarray(0, 1024).toString('utf8')}`;
    length += line.length;
    if (length > MAX_QUARANTINED_BYTES) break;
    lines.push(line);
  }
  return lines.join('\n');
}

/** Latin-1 there and back keeps every byte that is not part of a token. */
const mask = (bytes: Buffer): Buffer => Buffer.from(maskSecrets(bytes.subarray(0, MAX_QUARANTINED_BYTES).toString('latin1')), 'latin1');

/** PostgreSQL's text holds neither NUL nor half a surrogate pair. */
const printable = (text: string): string => maskSecrets(text).replaceAll('\0', '\u2400').toWellFormed();

/** How often the bounds are kept. */
const TRIM_EVERY_MS = 60_000;

export interface BoundedQuarantine {
  /** Told of what was written: much of it at once is trimmed before its minute is over. Never throws. */
  tell(refused: readonly Refused[]): void;
  stop(): void;
}

/** Keeps the quarantine within its bounds while the process runs. */
export function keepQuarantineBounded({ pool, log, metrics, bounds, everyMs = TRIM_EVERY_MS }: BoundingOptions): BoundedQuarantine {
  const { days, bytes } = bounds ?? { days: QUARANTINE_DAYS, bytes: MAX_QUARANTINE_BYTES };
  const dropped = metrics.counter('rescind_quarantine_dropped_total', 'Refused events dropped for want of room before their time.');
  let written = 0;
  let trimming = false;
  const trim = (): void => {
    if (trimming) return;
    trimming = true;
    written = 0;
    trimQuarantine(pool, { days, bytes })
      .then(
        (count) => dropped.inc(count),
        (error: unknown) => log.warn({ err: error }, 'the quarantine could not be trimmed'),
      )
      .finally(() => {
        trimming = false;
      });
  };
  const timer = setInterval(trim, everyMs);
  timer.unref();
  return {
    tell(refused) {
      for (const { rejected } of refused) written += Math.min(rejected.arrived.bytes.length, MAX_QUARANTINED_BYTES);
      if (written > bytes / EARLY_TRIM_SHARE) trim();
    },
    stop: () => clearInterval(timer),
  };
}

/** A process that wrote this part of the bound since the last trim does not wait for the next. */
const EARLY_TRIM_SHARE = 16;

interface BoundingOptions {
  readonly pool: Pool;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly bounds?: QuarantineBounds;
  readonly everyMs?: number;
}
