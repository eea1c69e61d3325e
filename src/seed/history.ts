import type { EventDataOf, SourceEventName } from '../contracts/index.js';
import { plan } from './calendar.js';
import { sayGrant, type Actors, type Say } from './grants.js';
import { sayApprovals, sayOffice } from './office.js';
import { RESERVED } from './names.js';
import type { Client, Organisation } from './organisation.js';
import { createQueue } from './queue.js';
import { createRandom, type Random } from './random.js';
import type { SeedEvent } from './seed-event.js';

export interface HistoryOptions {
  readonly organisation: Organisation;
  /** Seeds all random draws. */
  readonly seed: string;
  /** Number of events to yield, duplicates included. */
  readonly events: number;
  /** Epoch seconds, on the hour. */
  readonly start: number;
  readonly end: number;
  /** Events made elsewhere, such as those of incidents, to be merged in. They count among `events`. */
  readonly told?: readonly SeedEvent[];
  /** Part of every id, so that two histories of one organisation say different things. */
  readonly run?: string;
  /** Whether the administrators' first approvals are reported (default: true). */
  readonly approvals?: boolean;
}

const RESEND_S = 40;
/** Extra attempts at an hour's grants. A grant may add no event, because its events arrive after the end. */
const MAX_TRIES = 1_000;
/** Share of grants that agents make. At night and on weekends it is mostly agents that work. */
const AGENT_SHARE = 0.35;
const USER_SKEW = 2.2;
const CLIENT_SKEW = 1.8;

/**
 * Yields what the parties say, in order of arrival. Events are generated hour by hour as they are taken, so memory holds only events still
 * to arrive.
 */
export function* makeHistory({
  organisation,
  seed,
  events,
  start,
  end,
  told = [],
  run = '',
  approvals = true,
}: HistoryOptions): Generator<SeedEvent, void> {
  const random = createRandom(`${seed} history`);
  const queue = createQueue<SeedEvent>();
  let counted = 0;
  let number = 0;
  const put = (event: SeedEvent): void => {
    if (event.arrives >= end || counted >= events) return;
    counted += 1;
    queue.put(event.arrives, event);
  };
  const say: Say = <N extends SourceEventName>(
    party: string,
    name: N,
    at: number,
    delay: number,
    data: EventDataOf[N],
    twice = false,
  ) => {
    const event = { party, name, id: `e-${run}${number++}`, at, arrives: at + delay, data };
    put(event);
    if (twice) put({ ...event, arrives: event.arrives + RESEND_S });
  };
  const cast = createCast(organisation, random);
  const nextNumber = (): string => `${run}${number.toString(36)}`;
  for (const event of told) put(event);
  if (approvals) sayApprovals(organisation, say, start);
  const before = counted;
  const total = Math.max(0, events - before);
  const office = sayOffice(organisation, random, say, start);
  const numbered = createNumbers(organisation);
  for (const { from, to, by } of plan(start, end, total)) {
    office(from);
    // An event that arrives after the end does not count, so the last hour continues until all events are there.
    const isShort = (): boolean => counted - before < by;
    for (let tries = 0; isShort() && tries < MAX_TRIES + by; tries++)
      sayGrant(organisation, random, nextNumber, say, from + random.below(to - from), cast());
    for (const event of queue.before(to)) yield numbered(event);
  }
}

/** Draws which user acts through which connection. */
function createCast(organisation: Organisation, random: Random): () => Actors {
  const users = organisation.users.slice(0, organisation.users.length - RESERVED.users.length);
  const people = [...organisation.connections.keys()].filter(({ agent }) => !agent);
  const agents = [...organisation.connections.keys()].filter(({ agent }) => agent);
  return () => {
    const nth = random.skewed(users.length, USER_SKEW);
    const among: readonly Client[] = random.chance(AGENT_SHARE) ? agents : people;
    const connections = organisation.connections.get(among[random.skewed(among.length, CLIENT_SKEW)]!)!;
    return { user: users[nth]!, nth, connection: connections[random.skewed(connections.length, 1.5)]! };
  };
}

/** Three numbers of every 20,000 are lost on the way and never arrive. */
const LOST_EVERY = 20_000;
const LOST_FROM = 500;
const LOST = 3;

/** Adds sequence numbers to the events of the sources that number their events. */
function createNumbers(organisation: Organisation): (event: SeedEvent) => SeedEvent {
  const next = new Map(organisation.apps.filter(({ numbers }) => numbers).map(({ name }) => [name, 0]));
  const given = new Map<string, number>();
  return (event) => {
    const sequence = next.get(event.party);
    if (sequence === undefined || 'sequence' in event.data) return event;
    // An event that is sent again keeps its number.
    const key = `${event.party} ${event.id}`;
    const known = given.get(key);
    if (known !== undefined) return { ...event, data: { ...event.data, sequence: known } } as SeedEvent;
    next.set(event.party, sequence + (sequence % LOST_EVERY === LOST_FROM ? LOST + 1 : 1));
    given.set(key, sequence);
    if (given.size > 10_000) given.delete(given.keys().next().value!);
    return { ...event, data: { ...event.data, sequence } } as SeedEvent;
  };
}
