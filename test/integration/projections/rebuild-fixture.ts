import type { Pool } from 'pg';
import { accept, kafkaMode } from '../../../src/ingest/accept/accept.js';
import { rebuildProjections, type RebuildOptions, type Rebuilt } from '../../../src/projections/index.js';
import { makeTraffic } from '../../fault/traffic.js';
import { readProjections } from '../../fault/stored-projections.js';
import { access, fromChat, fromIdp, IDP, idJag, RAS, token, type Stage } from '../../support/stage.js';

/** Everything that can come, in no order, as Kafka's records bring it; written in batches of odd sizes. */
export async function submitTraffic(stage: Stage, seed: number, lineages: number): Promise<void> {
  const judged = makeTraffic({ seed, lineages, idpUri: `${IDP}/events`, chatUri: `${RAS}/events` }).map(
    ({ to, message }) => {
      const headers = Object.entries(message.headers ?? {}).map(
        ([name, value]) => [name, Buffer.from(String(value))] as const,
      );
      const door = { kind: 'kafka', topic: (to === 'idp' ? stage.idp : stage.chat).topic } as const;
      return accept(
        { mode: kafkaMode(headers), headers, bytes: Buffer.from(message.value ?? ''), door },
        stage.follower.state,
        Date.now(),
      );
    },
  );
  for (let at = 0, size = 1; at < judged.length; at += size, size = (size * 7) % 61)
    await stage.appender.submit({ events: judged.slice(at, at + size) });
}

export const rebuildOptions = (stage: Stage, over: Partial<RebuildOptions> = {}): RebuildOptions => ({
  pool: stage.database.pool,
  name: 'all',
  tenantKey: async (tenant) => stage.follower.state.tenant(tenant)!.key,
  firstResources: (source) => stage.follower.state.source(source)!,
  ...over,
});

export const rebuild = (stage: Stage, over: Partial<RebuildOptions> = {}): Promise<Rebuilt> =>
  rebuildProjections(rebuildOptions(stage, over));

/** Tables whose digests differ, with the rows that only one side has. */
export const differing = ({ tables }: Rebuilt): Record<string, readonly [onlyLive: number, onlyRebuilt: number]> =>
  Object.fromEntries(
    tables.filter(({ same }) => !same).map(({ table, onlyLive, onlyRebuilt }) => [table, [onlyLive, onlyRebuilt]]),
  );

/** Names and definitions of tables, indexes and constraints. */
export async function readShape(pool: Pool): Promise<readonly string[]> {
  const { rows } = await pool.query<{ line: string }>(`
    SELECT indexdef AS line FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT attrelid::regclass || '.' || attname || ' ' || attnum || ' ' || format_type(atttypid, atttypmod) || ' ' || attnotnull
      FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid WHERE c.relnamespace = 'public'::regnamespace AND attnum > 0
    ORDER BY 1`);
  return rows.map(({ line }) => line);
}

export async function readSchemas(pool: Pool): Promise<readonly string[]> {
  const { rows } = await pool.query<{ name: string }>(
    "SELECT nspname AS name FROM pg_namespace WHERE nspname LIKE 'rescind%' ORDER BY 1",
  );
  return rows.map(({ name }) => name);
}

/** The projections by names, in an order of their own: a rebuild writes the same rows in another one. */
export async function readRows(stage: Stage): Promise<unknown> {
  const { grants, connections, ...rest } = await readProjections(stage.database.pool, stage.tenant);
  const sorted = (rows: readonly object[]): string[] =>
    rows.map((row) => JSON.stringify(row, Object.keys(row).sort())).sort();
  return { ...rest, grants: sorted(grants), connections: sorted(connections) };
}

/** Lineages and their uses, under a name that nobody else has, one post after the other, until it is told to stop; each post's answer is waited for. */
export function keepEmitting(stage: Stage, name = 'live') {
  const sent = { uses: 0, last: false };
  const running = (async () => {
    for (let n = 0; !sent.last; n += 1) {
      const [jti, idJagJti] = [`${name}-${n}`, `${name}-gr-${n}`];
      const use = (): ReturnType<typeof fromChat> =>
        fromChat('access.allowed', access({ token: { iss: RAS, jti }, route: `GET /live/${n % 7}` }));
      // Usage first, its lineage in later posts: what is bound late must be bound in the tables that stand then.
      for (const post of [
        [use()],
        [fromChat('token.issued', token({ jti, sub: `user-${n % 5}`, id_jag: { iss: IDP, jti: idJagJti } })), use()],
        [fromIdp('id-jag.issued', idJag({ jti: idJagJti, sub: `user-${n % 5}` }))],
      ]) {
        const answers = (await stage.emit(...post)) as { readonly state?: string }[];
        if (answers.some(({ state }) => state !== 'sequenced')) throw new Error(JSON.stringify(answers));
      }
      sent.uses += 2;
    }
  })();
  running.catch(() => undefined);
  return {
    count: () => sent.uses,
    reached: async (wanted: number): Promise<void> => {
      while (sent.uses < wanted) await Promise.race([running, new Promise((resolve) => setTimeout(resolve, 5))]);
    },
    async stop(): Promise<number> {
      sent.last = true;
      await running;
      return sent.uses;
    },
  };
}
