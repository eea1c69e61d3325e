import { int4Array, loadSql } from '../../platform/postgres/index.js';
import {
  endOfUserBlocks,
  readNewlyUsedGrants,
  readUsedGrants,
  type Snapshot,
  type UsedGrant,
} from '../../projections/index.js';
import { lastOf } from '../access/filters.pg.js';
import type { FilterKind } from '../ask/entity-kinds.js';
import { createFollowed, type Follow } from '../ask/followed.js';
import { readPairs, type FollowPairs } from '../graph/pairs.pg.js';
import { grantKey } from './facts.js';
import { shownName, type Facts } from './standing.js';

const AGENT_USES = loadSql(import.meta.url, 'agent-uses.sql');
/** Used grants that a process remembers, over all tenants: about 150 bytes each. */
const MAX_REMEMBERED = 500_000;

/** Grants that were used below an index, by {@link grantKey}. */
export type UsedGrants = ReadonlyMap<string, UsedGrant>;

/** Follows which grants were used. */
export const createFollowUsed = (): Follow<UsedGrants> =>
  createFollowed<UsedGrants>({
    none: new Map(),
    sizeOf: ({ size }) => size,
    maxSize: MAX_REMEMBERED,
    learn: learnUsed,
  });

/** Reads which grants were used, as of the snapshot. */
export async function readUsed(follow: Follow<UsedGrants>, snapshot: Snapshot): Promise<UsedGrants> {
  const index = Number(snapshot.index);
  const followed = snapshot.present ? await follow(snapshot) : undefined;
  // Another question may have gone further: of later uses nobody could tell how it was before.
  return followed?.upTo === index ? followed.known : learnUsed(new Map(), snapshot, 0, index);
}

/** Adds the uses between two indexes: the sums of closed blocks, then single uses. A use that is read twice changes nothing. */
async function learnUsed(known: UsedGrants, snapshot: Snapshot, from: number, _index: number): Promise<UsedGrants> {
  const start = BigInt(from);
  const end = await endOfUserBlocks(snapshot);
  const closed = end > start ? await readUsedGrants(snapshot, start, end) : [];
  const single = await readNewlyUsedGrants(snapshot, end > start ? end : start);
  const news = [...closed, ...single];
  if (news.length === 0) return known;
  const all = new Map(known);
  for (const one of news) {
    const key = grantKey(one.usr, one.client, one.res);
    const before = all.get(key);
    if (before === undefined || before.last < one.last) all.set(key, one);
  }
  return all;
}

/** Reads when each entity of a kind was last used (allowed), by the id under which it is shown. */
export async function readLastUses(
  snapshot: Snapshot,
  follow: FollowPairs,
  facts: Facts,
  kind: FilterKind,
  used: UsedGrants,
): Promise<ReadonlyMap<number, number>> {
  const lasts = new Map<number, number>();
  const add = (id: number, last: number | null): void => {
    if (last !== null && (lasts.get(id) ?? -1) < last) lasts.set(id, last);
  };
  switch (kind) {
    case 'user':
      for (const { usr, last } of used.values()) add(shownName(facts, kind, usr), last);
      break;
    case 'client':
    case 'resource': {
      const { pairs } = await readPairs(snapshot, follow, {}, { from: undefined, to: undefined });
      for (const { client, res, use } of pairs)
        add(kind === 'client' ? shownName(facts, kind, client) : res, use.lastUsed);
      break;
    }
    case 'agent': {
      const agents = facts.known.entities.agent.map(({ what }) => what);
      const index = String(snapshot.index);
      const to = lastOf(snapshot, undefined);
      const newest = { rows: 1, order: 'newest', of: 'agent' } as const;
      const rows = await snapshot.rows<{ id: number; last: number }>(
        { text: AGENT_USES, uses: () => [{ index, attributed: true, agent: agents, outcome: 1, to, most: newest }] },
        [index, int4Array(agents), to],
      );
      for (const { id, last } of rows) add(id, last);
    }
  }
  return lasts;
}
