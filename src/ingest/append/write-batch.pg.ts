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
import { keepManifests } from '../signed/manifests.pg.js';
import { leaveQuarantine, writeQuarantine, type Refused } from './quarantine.pg.js';
import {
  isOpen,
  OffsetLost,
  type Item,
  type Judged,
  type OffsetMove,
  type Outcome,
  type Refusal,
} from './submission.js';

/** Control records that get their ledger entries in one batch. Further ones follow in the next batch. */
const OUTBOX_LIMIT = 500;

const TAKE_OUTBOX = loadSql(import.meta.url, 'take-outbox.sql');
const SWAP_OFFSET = loadSql(import.meta.url, 'swap-offset.sql');
const RESUME_OFFSET = loadSql(import.meta.url, 'resume-offset.sql');
const FIRST_OFFSET = loadSql(import.meta.url, 'first-offset.sql');

/** Events and offsets that one transaction writes. */
export interface Batch {
  readonly items: readonly Item[];
  readonly moves: readonly OffsetMove[];
  readonly own: readonly OwnEvent[];
}

export interface Written {
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

/** Makes an event's entry, once. Best called while another batch is being written, because it needs neither a lock nor the database. */
export const sealEvent = (judged: Accepted & Judged, state: ControlState): NewEntry =>
  (judged.entry ??= seal(judged, state));

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
 * Writes the entries, projections, quarantine and offsets of a batch in the caller's transaction, and sets the outcome of each item. Throws
 * `OffsetLost` if one of its partitions has moved.
 */
export async function writeBatch(
  client: PoolClient,
  { items, moves, own: said }: Batch,
  state: ControlState,
  seenSeq: bigint,
  { withOutbox = true }: { readonly withOutbox?: boolean } = {},
): Promise<Written> {
  for (const run of movesOfPartitions(moves)) await swapOffset(client, run);
  const outbox = withOutbox ? await takeOutbox(client, state) : { events: [], left: false };
  const own = [...said, ...outbox.events];
  const open = items.filter(isOpen);
  const entries = [...open.map(({ judged }) => sealEvent(judged, state)), ...own.map(prepareOwnEvent)];
  const placed = entries.length > 0 ? await appendEntries(client, entries, contentOf) : [];

  const projected: ProjectedEvent[] = [];
  for (const item of items) if (item.refusal) item.outcome = rejected(item.refusal);
  for (const [nth, item] of open.entries()) {
    item.outcome = outcomeOf(placed[nth]!);
    if (item.outcome.state === 'sequenced') projected.push(project(item.judged, placed[nth]!, state, seenSeq));
  }
  const refused = refusedOf(items);
  await keepManifests(client, [
    ...open.filter(({ outcome }) => outcome!.state === 'sequenced').map(({ judged }) => judged),
    ...refused.map(({ rejected: one }) => one),
  ]);
  await writeQuarantine(client, refused);
  await leaveQuarantine(client, items);
  const ownPlaced = placed.slice(open.length);
  projected.push(...projectSeen(own, ownPlaced, seenSeq));
  const { conflicts, foreignUses, routesOver, sequences } = await writeProjections(
    client,
    projected,
    projectOwn(own, ownPlaced),
  );
  await oweRules(client, conflicts);
  const highest = placed.reduce((most, { index }) => (index > most ? index : most), 0n);
  return { refused, conflicts, foreignUses, routesOver, sequences, highest, outboxLeft: outbox.left };
}

const rejected = ({ code, detail }: Refusal): Outcome => ({ state: 'rejected', code, detail });

const refusedOf = (items: readonly Item[]): Refused[] =>
  items.flatMap(({ judged, offset, outcome }) =>
    outcome?.state === 'rejected'
      ? [{ rejected: { ...judged, accepted: false, code: outcome.code, detail: outcome.detail }, offset }]
      : [],
  );

/** Groups consecutive moves of a partition, so that one comparison stands for all. Partitions come in the same order in every process. */
function movesOfPartitions(all: readonly OffsetMove[]): OffsetMove[][] {
  const moves = all.toSorted(
    (a, b) => a.topic.localeCompare(b.topic) || a.partition - b.partition || Number(a.held - b.held),
  );
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
