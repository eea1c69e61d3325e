import type { Snapshot } from '../../projections/index.js';
import type { Kind, Memory } from '../detection.js';

const READ = 'SELECT key, state FROM finding_memory WHERE tenant = $1 AND kind = $2';
/** Writes what detections keep. `null` is forgotten. */
export const WRITE_MEMORY = `WITH kept AS (SELECT * FROM jsonb_to_recordset($2::jsonb) AS k (kind text, key text, state jsonb)),
  forgotten AS (DELETE FROM finding_memory m USING kept k WHERE m.tenant = $1 AND m.kind = k.kind AND m.key = k.key AND k.state IS NULL)
  INSERT INTO finding_memory AS m (tenant, kind, key, state)
  SELECT $1, kind, key, state FROM kept WHERE state IS NOT NULL ORDER BY kind, key
  ON CONFLICT (tenant, kind, key) DO UPDATE SET state = excluded.state`;

interface Kept {
  readonly kind: Kind;
  readonly key: string;
  readonly state: object | null;
}

/** Reads memory on the snapshot of a step, and collects what the step keeps. */
export function createMemory(snapshot: Snapshot): { readonly memory: Memory; kept(): readonly Kept[] } {
  const kept = new Map<string, Kept>();
  return {
    memory: {
      async read<T>(kind: Kind) {
        const rows = await snapshot.rows<{ key: string; state: T }>(READ, [kind]);
        return new Map(rows.map(({ key, state }) => [key, state]));
      },
      keep(kind, key, state) {
        kept.set(`${kind} ${key}`, { kind, key, state });
      },
    },
    kept: () => [...kept.values()],
  };
}
