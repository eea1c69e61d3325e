import type { PoolClient } from 'pg';
import { planConnections } from './connections/write.pg.js';
import { ALL_PROJECTIONS, type ProjectionName } from './declarations.js';
import { createEntityBatch, type FindIds } from './entities.pg.js';
import type { OwnProjectedEvent, ProjectedEvent } from './event.js';
import { writeSeen } from './grants/seen.pg.js';
import { writeClientUsers } from './grants/users.pg.js';
import { planGrants } from './grants/write.pg.js';
import { writeRules } from './rules/write.pg.js';
import { planSaid } from './said/write.pg.js';
import { planSequences, type SequenceState } from './sequences/write.pg.js';
import { planSessions } from './sessions/write.pg.js';
import { planSources } from './sources/write.pg.js';
import { planTokens, type WrittenTokens } from './tokens/write.pg.js';
import { createRouteBatch } from './usage/routes.pg.js';
import { planUsage } from './usage/write.pg.js';

export interface WrittenProjections {
  readonly conflicts: WrittenTokens['conflicts'];
  /** By source: uses of routes beyond the number of routes that the source may bring. */
  readonly routesOver: ReadonlyMap<string, number>;
  /** By source: uses of tokens whose audience is not the source. */
  readonly foreignUses: ReadonlyMap<string, number>;
  /** State of each source that numbered an event of the batch. */
  readonly sequences: readonly SequenceState[];
}

const NOTHING: WrittenProjections = { conflicts: [], foreignUses: new Map(), routesOver: new Map(), sequences: [] };

/** Options of a rebuild; the appender uses the defaults. */
export interface Writing {
  readonly only?: ReadonlySet<ProjectionName>;
  readonly findIds?: FindIds;
}

/**
 * Writes all projections of a batch in the caller's transaction, which holds the locks of the ledger heads concerned.
 * `events` are new entries of sources, in index order within a tenant; `own` are entries of Rescind itself. Each projection first
 * names the entities that it needs, so that one statement finds them all; then each writes its tables, set-based. The order matters
 * twice: usage is bound to tokens, and the users of a client are counted from grants and aliases.
 */
export async function writeProjections(
  client: PoolClient,
  events: readonly ProjectedEvent[],
  own: readonly OwnProjectedEvent[] = [],
  { only = ALL_PROJECTIONS, findIds }: Writing = {},
): Promise<WrittenProjections> {
  const of = (name: ProjectionName): readonly ProjectedEvent[] => (only.has(name) ? events : []);
  if (only.has('rules')) await writeRules(client, events, own);
  if (events.length === 0) return NOTHING;
  const entities = createEntityBatch(findIds);
  await entities.begin(client);
  const routes = createRouteBatch(entities);
  const writeTokens = planTokens(of('tokens'), entities);
  const writeGrants = planGrants(of('grants'), entities);
  const writeConnections = planConnections(of('connections'), entities);
  const writeSessions = planSessions(of('sessions'), entities);
  const writeSaid = planSaid(of('said'), entities);
  const writeSequences = planSequences(of('sequences'));
  const writeSources = planSources(of('sources'));
  const writeUsage = planUsage(of('usage'), entities, routes);
  await routes.decide(client);
  await entities.resolve(client);

  const { named, touched, conflicts } = await writeTokens(client);
  const foreignUses = await writeUsage(client, touched);
  const granted = await writeGrants(client);
  const { tied, begun } = await writeConnections(client);
  if (only.has('edges')) {
    await writeSeen(client, [...granted, ...begun]);
    await writeClientUsers(client, events, granted, tied);
  }
  await writeSessions(client);
  await writeSaid(client);
  if (only.has('sources')) await writeSources(client, named);
  return { conflicts, foreignUses, routesOver: await routes.count(client), sequences: await writeSequences(client) };
}
