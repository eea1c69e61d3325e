import type { PoolClient } from 'pg';
import type { SourceEventName, TokenSeen } from '../../contracts/index.js';
import type { ControlRecord, ControlState } from '../../control/index.js';
import { appendEntries, prepareEntry, type NewEntry, type Placed } from '../../log/index.js';
import { loadSql } from '../../platform/postgres/index.js';
import {
  seenToken,
  writeProjections,
  type Conflict,
  type OwnProjectedEvent,
  type ProjectedEvent,
  type SequenceState,
} from '../../projections/index.js';
import { contentOf, type Accepted } from '../accept/accept.js';
import { oweRules } from './contradictions.pg.js';
import { ownEventOf, prepareOwnEvent, type OwnEvent } from './own-events.js';
import { leaveQuarantine, writeQuarantine, type Refused } from './quarantine.pg.js';
import { OffsetLost, type Judged, type OffsetMove, type Outcome, type Submission } from './submission.js';

/** Control records that get their ledger entries in one batch. Further ones follow in the next batch. */
const OUTBOX_LIMIT = 500;

const TAKE_OUTBOX = loadSql(import.meta.url, 'take-outbox.sql');
const SWAP_OFFSET = loadSql(import.meta.url, 'swap-offset.sql');
const RESUME_OFFSET = loadSql(import.meta.url, 'resume-offset.sql');
const FIRST_OFFSET = loadSql(import.meta.url, 'first-offset.sql');

/** An accepted event with its entry, which is sealed before any lock is taken. */
interface Sealed {
  readonly judged: Accepted & Judged;
  readonly entry: NewEntry;
}

export interface Batch {
  readonly submissions: readonly Submission[];
  readonly sealed: ReadonlyMap<Judged, Sealed>;
}

export interface Written {
  readonly outcomes: ReadonlyMap<Judged, Outcome>;
  readonly refused: readonly Refused[];
  /** Tokens and ID-JAGs that events of the batch contradict. Each is owed a block. */
  readonly conflicts: readonly Conflict[];
  readonly sequences: readonly SequenceState[];
  /** Uses of routes that were not counted separately, by source. */
  readonly routesOver: ReadonlyMap<string, number>;
  /** Uses of tokens whose audience is none of the source's resources, by source. They are attributed to nobody. */
  readonly foreignUses: ReadonlyMap<string, number>;
  /** Highest index written, of any tenant. */
  readonly highest: bigint;
  /** Whether control records are left without their entry. */
  readonly outboxLeft: boolean;
}

export function sealBatch(submissions: readonly Submission[], state: ControlState): Batch {
  const sealed = new Map<Judged, Sealed>();
  for (const judged of submissions.flatMap(({ events }) => events)) {
    if (judged.accepted) sealed.set(judged, { judged, entry: sealEvent(judged, state) });
  }
  return { submissions, sealed };
}

const sealedEntries = new WeakMap<Accepted, NewEntry>();

/** Makes an event's entry, once. Best called while another batch is being written, because it needs neither a lock nor the database. */
export function sealEvent(judged: Accepted, state: ControlState): NewEntry {
  let entry = sealedEntries.get(judged);
  if (!entry) sealedEntries.set(judged, (entry = seal(judged, state)));
  return entry;
}

function seal(judged: Accepted, state: ControlState): NewEntry {
  return prepareEntry({
    tenant: judged.source.tenant,
    tenantKey: state.tenant(judged.source.tenant)!.key,
    type: judged.event.type,
    source: judged.source.id,
    eventId: judged.event.id,
    mode: judged.arrived.mode,
    headers: judged.attributes,
    bytes: judged.arrived.bytes,
  });
}

/**
 * Writes the entries, projections, quarantine and offsets of a batch in the caller's transaction. Throws `OffsetLost` if one of its
 * partitions has moved.
 */
export async function writeBatch(
  client: PoolClient,
  batch: Batch,
  state: ControlState,
  seenSeq: bigint,
  { withOutbox = true }: { readonly withOutbox?: boolean } = {},
): Promise<Written> {
  for (const moves of movesOfPartitions(batch.submissions)) await swapOffset(client, moves);
  const outbox = withOutbox ? await takeOutbox(client, state) : { events: [], left: false };
  const sealed = [...batch.sealed.values()];
  const own = [...batch.submissions.flatMap((submission) => submission.own ?? []), ...outbox.events];
  const entries = [...sealed.map(({ entry }) => entry), ...own.map(prepareOwnEvent)];
  const placed = entries.length > 0 ? await appendEntries(client, entries, contentOf) : [];

  const outcomes = new Map<Judged, Outcome>();
  const refused: Refused[] = [];
  const projected: ProjectedEvent[] = [];
  sealed.forEach(({ judged }, at) => {
    const outcome = outcomeOf(placed[at]!);
    outcomes.set(judged, outcome);
    if (outcome.state === 'sequenced') projected.push(project(judged, placed[at]!, state, seenSeq));
  });
  for (const { events, offset } of batch.submissions) {
    for (const judged of events) {
      const outcome = judged.accepted
        ? outcomes.get(judged)!
        : ({ state: 'rejected', code: judged.code, detail: judged.detail } as const);
      outcomes.set(judged, outcome);
      if (outcome.state !== 'rejected') continue;
      refused.push({ rejected: { ...judged, accepted: false, code: outcome.code, detail: outcome.detail }, offset });
    }
  }
  await writeQuarantine(client, refused);
  await leaveQuarantine(client, outcomes);
  const ownPlaced = placed.slice(sealed.length);
  projected.push(...projectSeen(own, ownPlaced, seenSeq));
  const { conflicts, foreignUses, routesOver, sequences } = await writeProjections(
    client,
    projected,
    projectOwn(own, ownPlaced),
  );
  await oweRules(client, conflicts);
  const highest = placed.reduce((most, { index }) => (index > most ? index : most), 0n);
  return { outcomes, refused, conflicts, foreignUses, routesOver, sequences, highest, outboxLeft: outbox.left };
}

/** Groups consecutive moves of a partition, so that one comparison stands for all. Partitions come in the same order in every process. */
function movesOfPartitions(submissions: readonly Submission[]): OffsetMove[][] {
  const moves = submissions.flatMap(({ offset }) => (offset ? [offset] : []));
  moves.sort((a, b) => a.topic.localeCompare(b.topic) || a.partition - b.partition || Number(a.held - b.held));
  const runs: OffsetMove[][] = [];
  for (const move of moves) {
    const before = runs.at(-1)?.at(-1);
    if (before && follows(before, move)) runs.at(-1)!.push(move);
    else runs.push([move]);
  }
  return runs;
}

const follows = (before: OffsetMove, move: OffsetMove): boolean =>
  before.cluster === move.cluster &&
  before.topic === move.topic &&
  before.partition === move.partition &&
  before.next === move.held &&
  !before.resumes &&
  !move.resumes;

async function swapOffset(client: PoolClient, moves: readonly OffsetMove[]): Promise<void> {
  const [first, last] = [moves[0]!, moves.at(-1)!];
  const lastOffset = last.lastOffset === null ? null : String(last.lastOffset);
  const values = [
    first.cluster,
    first.topic,
    first.partition,
    String(first.held),
    String(last.next),
    lastOffset,
    last.lastSha256,
  ];
  const { rowCount } = await client.query(first.resumes ? RESUME_OFFSET : SWAP_OFFSET, values);
  if (rowCount === 1) return;
  if (first.resumes) throw new OffsetLost(first);
  const inserted = await client.query(FIRST_OFFSET, values);
  // Later moves of the partition fail next: each is compared with the position in which the previous one would have left it.
  if (inserted.rowCount !== 1) throw new OffsetLost(first);
}

function outcomeOf(placed: Placed): Outcome {
  if (placed.outcome !== 'conflict') return { state: placed.outcome, index: placed.index };
  return { state: 'rejected', code: 'conflict', detail: `other content than the entry at index ${placed.index}` };
}

function project(judged: Accepted, placed: Placed, state: ControlState, seenSeq: bigint): ProjectedEvent {
  return {
    name: judged.name,
    data: judged.event.data,
    tenant: judged.source.tenant,
    tenantKey: state.tenant(judged.source.tenant)!.key,
    ix: placed.index,
    seenSeq,
    arrivalMs: placed.arrivalMs!,
    source: judged.source.id,
    id: judged.event.id,
    sourceResources: judged.source.resources,
    at: Math.floor(judged.timeMs / 1000),
    atMs: judged.timeMs,
  } as ProjectedEvent<SourceEventName>;
}

/** Returns Rescind's own events that are new. */
const projectOwn = (own: readonly OwnEvent[], placed: readonly Placed[]): OwnProjectedEvent[] =>
  own.flatMap(({ name, data, tenant, timeMs }, nth) => {
    const { outcome, index, arrivalMs } = placed[nth]!;
    if (outcome !== 'sequenced') return [];
    return [
      {
        name,
        data,
        tenant: tenant.id,
        tenantKey: tenant.key,
        ix: index,
        arrivalMs: arrivalMs!,
        atMs: timeMs,
      } as OwnProjectedEvent,
    ];
  });

/** Tokens that Rescind saw first, where their entry is new: they stand behind the batch's other events. */
const projectSeen = (own: readonly OwnEvent[], placed: readonly Placed[], seenSeq: bigint): ProjectedEvent[] =>
  own.flatMap(({ name, data, tenant, id, timeMs }, nth) => {
    const { outcome, index, arrivalMs } = placed[nth]!;
    if (name !== 'token.seen' || outcome !== 'sequenced') return [];
    return [
      seenToken(data as TokenSeen, {
        tenant: tenant.id,
        tenantKey: tenant.key,
        ix: index,
        seenSeq,
        arrivalMs: arrivalMs!,
        id,
        atMs: timeMs,
      }),
    ];
  });

interface OutboxRow {
  seq: string;
  tenant: string;
  kind: string;
  subject: string;
  version: number;
  at: Date;
  body: unknown;
}

/** Takes the ledger entries that control records are owed. Takes none if another process holds the outbox. */
async function takeOutbox(client: PoolClient, state: ControlState): Promise<{ events: OwnEvent[]; left: boolean }> {
  const { rows } = await client.query<OutboxRow>(TAKE_OUTBOX, [OUTBOX_LIMIT, String(state.head)]);
  const events = rows.flatMap((row): OwnEvent[] => {
    const record = { ...row, seq: BigInt(row.seq), at: row.at.getTime() } as unknown as ControlRecord;
    const said = ownEventOf(record);
    const tenant = state.tenant(record.tenant)!;
    return said ? [{ ...said, tenant, id: `control-${record.seq}`, timeMs: record.at }] : [];
  });
  return { events, left: rows.length === OUTBOX_LIMIT };
}
