import type { Ask, Snapshot } from '../../projections/index.js';
import { loadSql, type PoolClient } from '../../platform/postgres/index.js';
import type { Control } from '../control.js';
import { SEVERITIES, type Detection, type Evidence, type Step } from '../detection.js';
import { lookBack, prepared } from '../fresh.js';
import { tellNews } from '../news/news.pg.js';
import { createMemory, WRITE_MEMORY } from './memory.pg.js';

const READ_DAYS = prepared('days', loadSql(import.meta.url, 'read-days.sql'), 4);
const WRITE_DAYS = loadSql(import.meta.url, 'write-days.sql');
const WRITE_FINDINGS = loadSql(import.meta.url, 'write-findings.sql');
const WRITE_PAST = loadSql(import.meta.url, 'write-past.sql');
const THIN_PAST = loadSql(import.meta.url, 'thin-past.sql');
const READ_CURSOR = 'SELECT next_ix FROM finding_cursor WHERE tenant = $1';
const READ_HEAD = 'SELECT next_ix FROM ledger_head WHERE tenant = $1';
const dayAt = (ix: string): string => `(SELECT arrival / 86400000 FROM entry WHERE tenant = $1 AND ix = ${ix})`;
/**
 * Finds where a step from `$2` ends before `$3`: where the entries leave the day on which the first of them arrived, or where the detections stood when
 * somebody changed the state of a finding.
 */
const END_OF_STEP = `SELECT least(
    (SELECT min(ix) FROM entry
     WHERE tenant = $1 AND ix >= $2 AND ix < $3 AND arrival / 86400000 > ${dayAt('$2')} AND ${dayAt('$3::bigint - 1')} > ${dayAt('$2')}),
    (SELECT min(read_ix) FROM finding_change WHERE tenant = $1 AND read_ix > $2 AND read_ix < $3)) AS ix`;
const BEGIN_CURSOR = 'INSERT INTO finding_cursor (tenant, next_ix) VALUES ($1, 0) ON CONFLICT DO NOTHING';
const MOVE_CURSOR = 'UPDATE finding_cursor SET next_ix = $3 WHERE tenant = $1 AND next_ix = $2';
/** The times at which the step begins and ends. */
const READ_TIMES = `SELECT coalesce((SELECT arrival FROM entry WHERE tenant = $1 AND ix = $2::bigint - 1), 0) AS before_ms,
  (SELECT arrival FROM entry WHERE tenant = $1 AND ix = $3::bigint - 1) AS now_ms`;
const CLOSE_ENDED = `UPDATE finding SET closed_ms = $4
  WHERE tenant = $1 AND kind = $2 AND closed_ms IS NULL AND NOT subject = ANY ($3::text[]) RETURNING id`;
const CLOSE_QUIET = `UPDATE finding SET closed_ms = $2
  WHERE tenant = $1 AND closed_ms IS NULL AND last_at < $3 AND NOT kind = ANY ($4::text[]) RETURNING id`;

/**
 * Deletes days that no detection looks at any more. The last day of a user, client and resource stays: it says since when they are silent.
 */
const PRUNE_DAYS = `DELETE FROM finding_day d
  WHERE d.tenant = $1 AND d.day < $2 AND EXISTS (
    SELECT FROM finding_day n WHERE n.tenant = $1 AND n.usr = d.usr AND n.res = d.res AND n.client = d.client AND n.day > d.day)`;
/** Days of uses that are kept. */
const KEPT_DAYS = 90;
/** Days for which the past of findings is kept step by step. Before them it is kept day by day. */
const PAST_BY_STEP_DAYS = 7;

/** A finding that has not grown for so long closes itself, unless it is a condition. Seconds. */
export const QUIET_S = 30 * 86_400;
/** A statement of a step may take this long. */
const STATEMENT_MS = 20_000;

export interface StepOptions {
  readonly ask: Ask;
  /** The session that holds the right to follow the ledgers. */
  readonly client: PoolClient;
  readonly control: Control;
  readonly detections: readonly Detection[];
  readonly tenant: string;
  /** The most entries of one step. */
  readonly entries: number;
  readonly learnsDays: number;
  readonly now: () => number;
}

/** Entries that are not read yet, after a step; undefined if the ledger had none. */
export type Behind = bigint | undefined;

/**
 * Reads the next entries of a ledger with every detection, writes what they found and moves the cursor, all or nothing. Facts of entries below a
 * head never change, so that they may be read before the transaction that writes.
 */
export async function stepOnce(options: StepOptions): Promise<Behind> {
  const { ask, client, tenant, entries, detections, control, learnsDays, now } = options;
  const head = BigInt((await client.query<{ next_ix: string }>(READ_HEAD, [tenant])).rows[0]?.next_ix ?? 0);
  const from = await readCursor(client, tenant);
  if (from >= head) return undefined;
  const to = await endOf(client, tenant, from, from + BigInt(entries) < head ? from + BigInt(entries) : head);
  const found = await ask(
    tenant,
    (snapshot) => findAll(detections, snapshot, { tenant, from, to, control, learnsDays }),
    { index: to },
    { timeoutMs: STATEMENT_MS },
  );
  await client.query('BEGIN');
  try {
    const [before, day] = [dayOf(found.beforeMs), dayOf(found.nowMs)];
    if (before < day) {
      await client.query(PRUNE_DAYS, [tenant, day - KEPT_DAYS]);
      await client.query(THIN_PAST, [tenant, before - PAST_BY_STEP_DAYS, day - PAST_BY_STEP_DAYS]);
    }
    if (found.days !== null) await client.query(WRITE_DAYS, [tenant, found.days]);
    if (found.kept.length > 0) await client.query(WRITE_MEMORY, [tenant, JSON.stringify(found.kept)]);
    await writeFound(client, tenant, found, { wallMs: now(), from, to });
    const moved = await client.query(MOVE_CURSOR, [tenant, String(from), String(to)]);
    if (moved.rowCount !== 1) throw new Error('another process moved the cursor of the findings');
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
  return head - to;
}

/**
 * A step ends with a day, so that a detection that compares days finds the earlier ones in `finding_day`, however the ledger is cut. Evidence that a person
 * had seen and evidence that came later are never of one step, so that findings that are found anew have the same states.
 */
async function endOf(client: PoolClient, tenant: string, from: bigint, most: bigint): Promise<bigint> {
  const { rows } = await client.query<{ ix: string | null }>(END_OF_STEP, [tenant, String(from), String(most)]);
  return rows[0]?.ix == null ? most : BigInt(rows[0].ix);
}

async function readCursor(client: PoolClient, tenant: string): Promise<bigint> {
  const { rows } = await client.query<{ next_ix: string }>(READ_CURSOR, [tenant]);
  if (rows.length === 0) await client.query(BEGIN_CURSOR, [tenant]);
  return BigInt(rows[0]?.next_ix ?? 0);
}

interface Found {
  /** Sums of the uses of the step by day, as JSON. */
  readonly days: string | null;
  readonly evidence: ReadonlyMap<Detection, readonly Evidence[]>;
  /** Values that detections remember. */
  readonly kept: readonly unknown[];
  readonly beforeMs: number;
  readonly nowMs: number;
}

interface ReadDays {
  readonly days: string | null;
  readonly hops: readonly Buffer[];
  readonly idp_clients: readonly (number | null)[];
}

async function findAll(
  detections: readonly Detection[],
  snapshot: Snapshot,
  bounds: Pick<Step, 'tenant' | 'from' | 'to' | 'control' | 'learnsDays'>,
): Promise<Found> {
  const cut = [String(bounds.from), String(bounds.to)];
  const [times] = await snapshot.rows<{ before_ms: string; now_ms: string }>(READ_TIMES, cut);
  const { memory, kept } = createMemory(snapshot);
  const nowMs = Number(times!.now_ms);
  const [read] = await snapshot.rows<ReadDays>(READ_DAYS, [...cut, lookBack({ nowMs })]);
  const { days, hops, idp_clients: idpClients } = read!;
  const step: Step = {
    ...bounds,
    snapshot,
    memory,
    hops: [hops, idpClients],
    beforeMs: Number(times!.before_ms),
    nowMs,
  };
  const evidence = new Map<Detection, readonly Evidence[]>();
  for (const detection of detections) evidence.set(detection, await detection.find(step));
  return { days, evidence, kept: kept(), beforeMs: step.beforeMs, nowMs: step.nowMs };
}

async function writeFound(
  client: PoolClient,
  tenant: string,
  { evidence, beforeMs, nowMs }: Found,
  { wallMs, from, to }: { readonly wallMs: number; readonly from: bigint; readonly to: bigint },
): Promise<void> {
  const changed = new Set<string>();
  const write = async (statement: string, values: readonly unknown[]): Promise<void> => {
    const { rows } = await client.query<{ id: string }>(statement, [tenant, ...values]);
    for (const { id } of rows) changed.add(id);
  };
  const rows = [...evidence].flatMap(([detection, found]) =>
    merge(detection, found).map((one) => rowOf(detection, one)),
  );
  if (rows.length > 0) await write(WRITE_FINDINGS, [JSON.stringify(rows), wallMs, String(to - 1n)]);
  const conditions = [...evidence].filter(([{ isCondition }]) => isCondition === true);
  for (const [{ kind }, found] of conditions) {
    const lasting = found.filter(({ ended }) => ended !== true).map(({ subject }) => subject);
    await write(CLOSE_ENDED, [kind, lasting, wallMs]);
  }
  if (hourOf(beforeMs) < hourOf(nowMs))
    await write(CLOSE_QUIET, [wallMs, Math.floor(nowMs / 1_000) - QUIET_S, conditions.map(([{ kind }]) => kind)]);
  if (changed.size === 0) return;
  await client.query(WRITE_PAST, [tenant, [...changed], String(from), String(to), dayOf(nowMs)]);
  await tellNews(client, { tenant, findings: [...changed], nowMs: wallMs });
}

const hourOf = (ms: number): number => Math.floor(ms / 3_600_000);
const dayOf = (ms: number): number => Math.floor(ms / 86_400_000);

const rowOf = ({ kind, severity, isCondition }: Detection, evidence: Evidence) => ({
  ...evidence,
  kind,
  severity: SEVERITIES.indexOf(severity),
  details: { ...evidence.details, ...(isCondition === true ? { whole: true } : {}) },
});

/** Puts pieces of evidence about the same subject together: a statement writes a row once. A condition is counted anew each time. */
function merge({ isCondition }: Detection, found: readonly Evidence[]): readonly Evidence[] {
  const bySubject = new Map<string, Evidence>();
  for (const one of found) {
    const before = bySubject.get(one.subject);
    bySubject.set(
      one.subject,
      before === undefined
        ? one
        : {
            ...one,
            ...known(before),
            ended: one.ended === true,
            count: isCondition === true ? one.count : Number(before.count) + Number(one.count),
            first_at: Math.min(Number(before.first_at), Number(one.first_at)),
            last_at: Math.max(Number(before.last_at), Number(one.last_at)),
            entries: [...before.entries, ...one.entries],
            details: { ...before.details, ...one.details },
          },
    );
  }
  return [...bySubject.values()];
}

/** Picks the members that evidence has. Those that came first stand, as they do in a finding. */
const known = (evidence: Evidence): Partial<Evidence> =>
  Object.fromEntries(Object.entries(evidence).filter(([, value]) => value !== null && value !== undefined));
