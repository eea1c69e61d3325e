import { instantText, RescindError, timeText } from '../../contracts/index.js';
import type { ArrivalMode } from '../../log/index.js';
import { loadSql } from '../../platform/postgres/index.js';
import { asOfOf } from '../ask/as-of.js';
import { reasonOf, type JudgeToken } from '../lists/inactive.pg.js';
import { readParameters } from '../ask/parameters.js';
import type { Reader, RegisteredSource } from '../ask/reader.js';
import type { Ask } from '../../projections/index.js';
import type { SourceCheckAnswer } from './answers.js';
import { readHeard } from './heard.pg.js';
import { nextSteps, wasLast } from './next-steps.js';
import { subjectOf } from './subject.js';

const LAST_EVENTS = loadSql(import.meta.url, 'last-events.sql');
const REFUSED_TOKENS = loadSql(import.meta.url, 'refused-tokens.sql');
const LAST_REFUSALS = loadSql(import.meta.url, 'last-refusals.sql');

/** Events that are shown, and refusals. */
const SHOWN = 20;
/** Records of a tenant's quarantine that are searched for the last refusals of a source. */
const MAX_REFUSALS_READ = 20_000;
/** Time that the broker has to say how far a topic is behind; after it, the answer leaves partitions out. */
const BROKER_TIMEOUT_MS = 1_500;

/** The caller of a check. With the role `emit` it may ask only about the sources that the role names. */
export interface CheckAsker {
  readonly id: string;
  readonly tenant: string;
  readonly roles: {
    readonly admin?: unknown;
    readonly audit?: unknown;
    readonly emit?: { readonly sources: readonly string[] };
  };
}

export interface PartitionState {
  readonly topic: string;
  readonly partition: number;
  readonly next_offset: string;
  readonly stopped: string | null;
  readonly lag: string | null;
}

/** Facts that only a process of another role knows; a function is absent if this process does not have the role. */
export interface SourceSight {
  /** Returns the partitions of the tenant's own topics; null if this process reads none. */
  readonly partitions?: (asker: {
    readonly id: string;
    readonly tenant: string;
  }) => Promise<readonly PartitionState[] | null>;
  /** Counts the keys of a source that can verify now; may fetch them. */
  readonly usableKeys?: (sourceId: string) => Promise<number>;
  readonly judge?: JudgeToken;
}

/** Tells a team that connects a source what arrived and what was refused, as of now. */
export function createSourceCheck({
  ask,
  reader,
  sight,
}: {
  readonly ask: Ask;
  readonly reader: Reader;
  readonly sight: SourceSight;
}) {
  function findSource({ tenant, roles }: CheckAsker, nameOrId: string): RegisteredSource {
    const source = reader.findSource(tenant, nameOrId);
    if (
      roles.admin === undefined &&
      roles.audit === undefined &&
      (source === undefined || roles.emit?.sources.includes(source.name) !== true)
    ) {
      throw new RescindError('forbidden', { detail: 'the caller’s role `emit` does not name this source' });
    }
    if (source === undefined) throw new RescindError('not-found', { detail: 'no source of this name or id' });
    return source;
  }

  async function partitionsOf(asker: CheckAsker, topic: string): Promise<SourceCheckAnswer['partitions']> {
    if (sight.partitions === undefined) return null;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(resolve, BROKER_TIMEOUT_MS, null);
    });
    const asked = sight.partitions({ id: asker.id, tenant: asker.tenant }).catch(() => null);
    const states = await Promise.race([asked, late]).finally(() => clearTimeout(timer));
    const own = states?.filter((state) => state.topic === topic);
    return (
      own?.map(({ partition, next_offset, stopped, lag }) => ({ topic, partition, next_offset, stopped, lag })) ?? null
    );
  }

  async function keysOf({ id, jwks, jwks_uri }: RegisteredSource): Promise<SourceCheckAnswer['keys']> {
    if (jwks === undefined && jwks_uri === undefined) return { from: 'none', usable: 0 };
    return { from: jwks === undefined ? 'jwks_uri' : 'inline', usable: (await sight.usableKeys?.(id)) ?? null };
  }

  return async (asker: CheckAsker, nameOrId: string, query: unknown): Promise<SourceCheckAnswer> => {
    readParameters(query, []);
    const source = findSource(asker, nameOrId);
    // Waits before the snapshot is opened, so that no connection is kept meanwhile.
    const [partitions, keys] = await Promise.all([partitionsOf(asker, source.topic), keysOf(source)]);

    return ask(asker.tenant, async (snapshot) => {
      const events = await snapshot.rows<EventRow>(LAST_EVENTS, [source.id, SHOWN]);
      const refused = await snapshot.rows<RefusalRow>(LAST_REFUSALS, [source.id, SHOWN, MAX_REFUSALS_READ]);
      const inactive = await snapshot.rows<InactiveRow>(REFUSED_TOKENS, [source.id, SHOWN]);
      const { types, clock } = (await readHeard(snapshot, [source.id]))(source.id);
      const seen = new Map(types.map((type) => [type.type, type]));
      const checked = {
        as_of: asOfOf(snapshot),
        source: { id: source.id, name: source.name },
        uri: source.uri,
        disabled: source.disabled,
        keys,
        partitions,
        types: [...new Set([...source.types, ...seen.keys()])].map((type) => ({
          type,
          events: seen.get(type)?.events ?? 0,
          last: seen.get(type)?.lastIndex ?? null,
          registered: source.types.includes(type),
        })),
        clock,
        events: events.map(eventOf),
        refused: refused.map(refusalOf),
        inactive: inactive.map(inactiveOf),
      };
      return {
        ...checked,
        next_steps: nextSteps(checked, source, snapshot.at, { lastWasRefused: wasLast(refused[0], events[0]) }),
      };
    });
  };
}

interface EventRow {
  readonly [column: string]: unknown;
  readonly ix: string;
  readonly what: string;
  readonly arrival: string;
  readonly delay: string | null;
  readonly mode: ArrivalMode | null;
  readonly bytes: Buffer;
}

const eventOf = ({ ix, what, arrival, delay, mode, bytes }: EventRow): SourceCheckAnswer['events'][number] => ({
  index: ix,
  type: what,
  at: delay === null ? null : timeText(Math.floor((Number(arrival) - Number(delay)) / 1000)),
  arrival: instantText(Number(arrival)),
  delay_ms: delay === null ? null : Number(delay),
  subject: mode === null ? null : subjectOf(mode, bytes),
});

interface InactiveRow {
  readonly [column: string]: unknown;
  readonly reason: string;
  readonly member: string | null;
  readonly count: string;
  readonly first_ms: string;
  readonly last_ms: string;
  readonly token: Buffer;
}

const inactiveOf = ({
  reason,
  member,
  count,
  first_ms,
  last_ms,
  token,
}: InactiveRow): SourceCheckAnswer['inactive'][number] => ({
  ...reasonOf({ reason, member }),
  count: Number(count),
  first: timeText(Math.floor(Number(first_ms) / 1000)),
  last: timeText(Math.floor(Number(last_ms) / 1000)),
  token: token.toString('base64url'),
});

interface RefusalRow {
  readonly [column: string]: unknown;
  readonly id: string;
  readonly at_ms: string;
  readonly code: string;
  readonly detail: string;
  readonly door: 'kafka' | 'http';
  readonly caller: string | null;
  readonly topic: string | null;
  readonly partition: number | null;
  readonly record_offset: string | null;
  readonly replayed: boolean;
}

const refusalOf = ({
  id,
  at_ms,
  code,
  detail,
  door,
  caller,
  topic,
  partition,
  record_offset,
  replayed,
}: RefusalRow): SourceCheckAnswer['refused'][number] => ({
  id,
  at: instantText(Number(at_ms)),
  code,
  detail,
  door,
  caller,
  position:
    topic === null || partition === null || record_offset === null ? null : { topic, partition, offset: record_offset },
  replayed,
});
