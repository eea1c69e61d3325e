import { createHash } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import {
  claimsBytes,
  isTyp,
  parseCompactJws,
  readElementAttributes,
  readSignedBatch,
  SECURITY_EVENT_TYP,
  SIGNED_BATCH_MEDIA_TYPE,
  SIGNED_BATCH_TYP,
} from '../../contracts/index.js';
import { maskSecrets, type Log } from '../../platform/log/index.js';
import { type Metrics } from '../../platform/observe/index.js';
import { loadSql } from '../../platform/postgres/index.js';
import { isMediaType, type Arrived, type Rejected } from '../accept/accept.js';
import type { Item, Judged, OffsetMove } from './submission.js';

/** Bytes of a refused event that are kept, and the same number of its headers. The rest is cut, but its size is recorded. */
export const MAX_QUARANTINED_BYTES = 64 * 1024;
/** Bytes of a refused signed batch that is kept. A larger one is cut, like any other event. */
const MAX_QUARANTINED_BATCH_BYTES = 1024 * 1024;
/** Days that a refused event is kept. */
export const QUARANTINE_DAYS = 7;
/** Bytes of all refused events of a tenant, and of all unknown sources together. The oldest are dropped and counted. */
export const MAX_QUARANTINE_BYTES = 1024 * 1024 * 1024;

const WRITE = loadSql(import.meta.url, 'write-quarantine.sql');
const REFUSE_AGAIN = loadSql(import.meta.url, 'refuse-again.sql');
const TRIM = loadSql(import.meta.url, 'trim-quarantine.sql');

export interface Refused {
  readonly rejected: Rejected & Judged;
  readonly offset: OffsetMove | undefined;
}

/**
 * Stores refused events with their reason in the transaction of their batch, with token-shaped strings masked. A replayed event that is
 * refused again stays the same row.
 */
export async function writeQuarantine(client: PoolClient, refused: readonly Refused[]): Promise<void> {
  await refuseAgain(
    client,
    refused.map(({ rejected }) => rejected).filter(({ quarantined }) => quarantined !== undefined),
  );
  const fresh = refused.filter(({ rejected }) => rejected.quarantined === undefined);
  if (fresh.length === 0) return;
  const reasons = new Map<string, number>();
  const parts: Buffer[] = [];
  const numbers: Record<'reason' | 'offset' | 'size' | 'headers' | 'bytes' | 'record', (number | bigint | null)[]> = {
    reason: [],
    offset: [],
    size: [],
    headers: [],
    bytes: [],
    record: [],
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
  const values = [
    `[${[...reasons.keys()].join()}]`,
    Buffer.concat(parts),
    ...[reason, offset, size, headers, bytes, record].map(arrayOf),
  ];
  await client.query(WRITE, values);
}

/** Formats an array parameter. For a thousand numbers, the driver's own formatting takes longer than the statement. */
const arrayOf = (numbers: readonly (number | bigint | null)[]): string =>
  `{${numbers.map((one) => one ?? 'NULL').join()}}`;

/** Returns the members that many records of a flood have in common. */
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

/** Removes replayed events from quarantine in the transaction that stores them, or if they had been stored before. */
export async function leaveQuarantine(client: PoolClient, items: readonly Item[]): Promise<void> {
  const stored = items.flatMap(({ judged: { quarantined }, outcome }) =>
    quarantined !== undefined && outcome!.state !== 'rejected' ? [quarantined] : [],
  );
  if (stored.length > 0) await client.query('DELETE FROM quarantine WHERE id = ANY($1::bigint[])', [stored]);
}

interface Kept {
  readonly headers: Buffer;
  readonly bytes: Buffer;
  /** All headers as they came, each [name, base64]. Null if something was cut or masked. */
  readonly recordHeaders: Buffer | null;
  readonly digest: Buffer;
}

function keep(arrived: Arrived): Kept {
  const { headers, bytes } = arrived;
  const digest = createHash('sha256').update(bytes);
  let headerBytes = 0;
  for (const [name, value] of headers) {
    digest.update(`${name.length}:${name}${value.length}:`).update(value);
    headerBytes += name.length + value.length;
  }
  const shown = headersOf(headers);
  const signed = isShownSet(arrived) || isShownBatch(arrived);
  const kept = signed ? bytes : mask(bytes);
  const whole =
    headerBytes + (signed ? 0 : bytes.length) <= MAX_QUARANTINED_BYTES &&
    kept.equals(bytes) &&
    headers.every(([, value]) => maskSecrets(value.toString('latin1')) === value.toString('latin1'));
  return {
    headers: Buffer.from(printable(shown)),
    bytes: kept,
    recordHeaders: whole
      ? Buffer.from(
          JSON.stringify(
            headers.map(([name, value]) => [Buffer.from(name).toString('base64'), value.toString('base64')]),
          ),
        )
      : null,
    digest: digest.digest(),
  };
}

/** Reads the headers stored in `record_headers`. */
export const readRecordHeaders = (text: string): Arrived['headers'] =>
  (JSON.parse(text) as [string, string][]).map(([name, value]) => [
    Buffer.from(name, 'base64').toString(),
    Buffer.from(value, 'base64'),
  ]);

export interface QuarantineBounds {
  readonly days: number;
  readonly bytes: number;
}

/** Drops events that are too old or beyond their tenant's bound, oldest first. Returns the number dropped for lack of room. */
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

/** Says whether an arrival is a signed batch as a whole, and not one event of it. */
export const isSignedBatch = ({ mode, headers }: Pick<Arrived, 'mode' | 'headers'>): boolean =>
  mode === 'batch' &&
  headers.some(
    ([name, value]) => name === 'content-type' && isMediaType(value.toString('latin1'), SIGNED_BATCH_MEDIA_TYPE),
  ) &&
  readElementAttributes(headers) === undefined;

const isShownSet = ({ mode, bytes }: Arrived): boolean =>
  mode === 'set' && bytes.length <= MAX_QUARANTINED_BYTES && isShownJws(bytes.toString('latin1'), SECURITY_EVENT_TYP);

/** A signed batch is kept whole, because its events cannot be trusted without it. */
function isShownBatch(arrived: Arrived): boolean {
  if (!isSignedBatch(arrived) || arrived.bytes.length > MAX_QUARANTINED_BATCH_BYTES) return false;
  const batch = readSignedBatch(arrived.bytes);
  return (
    batch !== undefined &&
    isShownJws(batch.manifest, SIGNED_BATCH_TYP) &&
    batch.elements.every(({ bytes }) => holdsNoSecret(bytes.toString('latin1')))
  );
}

/**
 * Says whether a refused JWS is kept as it came, so that it can be replayed: its `typ` gives nobody access to anything (RFC 8725, section 3.11), and its
 * claims hold no token.
 */
function isShownJws(text: string, typ: string): boolean {
  const jws = parseCompactJws(text);
  if (!jws || !isTyp(jws.header['typ'], typ)) return false;
  return [JSON.stringify(jws.header), claimsBytes(text).toString()].every(holdsNoSecret);
}

const holdsNoSecret = (text: string): boolean => maskSecrets(text) === text;

/** Masks tokens in bytes. Decoding as Latin-1 and encoding again keeps every byte outside a token. */
const mask = (bytes: Buffer): Buffer =>
  Buffer.from(maskSecrets(bytes.subarray(0, MAX_QUARANTINED_BYTES).toString('latin1')), 'latin1');

/** Replaces NUL and unpaired surrogates, which PostgreSQL's text cannot hold. */
const printable = (text: string): string => maskSecrets(text).replaceAll('\0', '\u2400').toWellFormed();

/** Interval between two trims. */
const TRIM_EVERY_MS = 60_000;

export interface BoundedQuarantine {
  /** Reports written events. Large amounts are trimmed before the interval ends. Never throws. */
  tell(refused: readonly Refused[]): void;
  stop(): void;
}

/** Keeps the quarantine within its bounds while the process runs. */
export function keepQuarantineBounded({
  pool,
  log,
  metrics,
  bounds,
  everyMs = TRIM_EVERY_MS,
}: BoundingOptions): BoundedQuarantine {
  const { days, bytes } = bounds ?? { days: QUARANTINE_DAYS, bytes: MAX_QUARANTINE_BYTES };
  const dropped = metrics.counter(
    'rescind_quarantine_dropped_total',
    'Refused events dropped for want of room before their time.',
  );
  let written = 0;
  let trimming = false;
  const trim = (): void => {
    if (trimming) return;
    trimming = true;
    written = 0;
    trimQuarantine(pool, { days, bytes })
      .then(
        (count) => dropped.inc(count),
        (error: unknown) => log.warn({ err: error }, 'cannot trim the quarantine; retrying'),
      )
      .finally(() => {
        trimming = false;
      });
  };
  const timer = setInterval(trim, everyMs);
  timer.unref();
  return {
    tell(refused) {
      for (const { rejected } of refused)
        written += Math.min(rejected.arrived.bytes.length, MAX_QUARANTINED_BATCH_BYTES);
      if (written > bytes / EARLY_TRIM_SHARE) trim();
    },
    stop: () => clearInterval(timer),
  };
}

/** A process that wrote this fraction (1/16) of the bound since the last trim trims at once. */
const EARLY_TRIM_SHARE = 16;

interface BoundingOptions {
  readonly pool: Pool;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly bounds?: QuarantineBounds;
  readonly everyMs?: number;
}
