import { inTransaction, type Pool } from '../platform/postgres/index.js';
import { shownErased, erasedName } from '../rules/index.js';
import type { ErasurePreview } from './answers.js';
import { findEntries } from './entries.pg.js';
import type { FoundNames } from './find-names.pg.js';
import { createEraser, MIN_TEXT } from './person.js';
import { ELSEWHERE } from './places.js';
import { entityIds } from './run.pg.js';
import { eraseFromTables } from './tables.pg.js';
import type { ContentOf, Tenant } from './tenant.js';

/** Time after which a preview stops reading the ledger and says how far it came. */
const READING_MS = 20_000;
/** Kept entries that a preview names. */
const MAX_KEPT_NAMED = 100;
const KEPT_BECAUSE = 'the entry names another person too';

export interface PreviewOptions {
  readonly pool: Pool;
  readonly contentOf: ContentOf;
  readonly countNameFiles?: (tenant: string, ids: readonly number[]) => Promise<number>;
}

const LIVE_TOKENS = `SELECT count(*)::int AS n FROM token
  WHERE tenant = $1 AND usr = ANY ($2::int[]) AND coalesce(exp, iat + 2592000) > extract(epoch FROM now())`;

/** Names of other things that contain the person's name: they stay. */
const OTHER_THINGS = `SELECT kind, count(*)::int AS n FROM entity
  WHERE tenant = $1 AND kind <> 1 AND contains_any(parts ->> -1, $2) GROUP BY kind ORDER BY kind`;
const KINDS = ['', 'user', 'client', 'agent', 'agent type', 'resource', 'issuer', 'route', 'address', 'scope'];

/** Finds what an erasure would change, by the code that changes it. */
export async function previewErasure(
  { pool, contentOf, countNameFiles }: PreviewOptions,
  tenant: Tenant,
  names: FoundNames,
  below: bigint,
): Promise<ErasurePreview> {
  const eraser = createEraser(tenant.key, names);
  const until = performance.now() + READING_MS;
  const kept: bigint[] = [];
  let [erased, keptCount, next] = [0, 0, 0n];
  while (next < below && performance.now() < until) {
    const step = await findEntries(pool, { tenant, eraser, contentOf }, { from: next, below });
    next = step.next;
    erased += step.erased;
    keptCount += step.kept.length;
    kept.push(...step.kept.slice(0, MAX_KEPT_NAMED - kept.length));
  }
  const tables = await inTransaction(pool, (client) =>
    eraseFromTables(client, { tenant, names, eraser, below }, { onlyCounts: true }),
  );
  const ids = await entityIds(pool, tenant, names);
  const live = await pool.query<{ n: number }>(LIVE_TOKENS, [tenant.id, ids]);
  const things = await pool.query<{ kind: number; n: number }>(OTHER_THINGS, [tenant.id, eraser.texts]);
  return {
    shown: shownErased(erasedName(tenant.key, [names.users[0]!]))!,
    names: names.users.map(nameOf),
    shared_names: names.shared.map(nameOf),
    entries: {
      below: String(below),
      read: String(next),
      complete: next === below,
      erased,
      kept: keptCount,
      kept_because: KEPT_BECAUSE,
      kept_first: kept.map(String),
    },
    tables: [...tables],
    archive_files: (await countNameFiles?.(tenant.id, ids)) ?? 0,
    live_tokens: live.rows[0]!.n,
    stays: things.rows.map(({ kind, n }) => ({ what: `${KINDS[kind]!} whose name contains the person’s`, count: n })),
    short_names: names.users.map((parts) => parts.at(-1)!).filter((name) => name.length < MIN_TEXT).length,
    elsewhere: [...ELSEWHERE],
  };
}

const nameOf = ([iss, claim, sub]: FoundNames['users'][number]) => ({
  iss: iss!,
  ...(claim === null || claim === undefined ? {} : { tenant: claim }),
  sub: sub!,
});
