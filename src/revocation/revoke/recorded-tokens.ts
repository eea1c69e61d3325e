import type { LineageReader, StoredLineage } from '../../projections/index.js';
import type { RuleKey } from '../../rules/index.js';

/** The most keys that share one statement; more wait for the next one. */
const KEYS_PER_STATEMENT = 500;

/** What is recorded of the token with this key; undefined: nothing. */
export type FindRecorded = (tenant: string, key: RuleKey) => Promise<StoredLineage | undefined>;

interface Waiting {
  readonly tenant: string;
  readonly key: RuleKey;
  readonly resolve: (lineage: StoredLineage | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Look-ups that come while one is under way share the next statement: one for 64 keys takes hardly longer than one for one.
 * A look-up never joins a statement that began before it, so that it sees whatever was committed before it was asked.
 */
export function createFindRecorded(lineage: Pick<LineageReader, 'tokens'>): FindRecorded {
  let waiting: Waiting[] = [];
  let running = false;

  async function run(): Promise<void> {
    running = true;
    while (waiting.length > 0) {
      const { tenant } = waiting[0]!;
      const batch = waiting.filter((one) => one.tenant === tenant).slice(0, KEYS_PER_STATEMENT);
      const taken = new Set(batch);
      waiting = waiting.filter((one) => !taken.has(one));
      try {
        const found = await lineage.tokens(tenant, batch.map(({ key }) => key));
        batch.forEach(({ resolve }, nth) => resolve(found[nth]));
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    running = false;
  }

  return (tenant, key) =>
    new Promise((resolve, reject) => {
      waiting.push({ tenant, key, resolve, reject });
      if (!running) void run();
    });
}
