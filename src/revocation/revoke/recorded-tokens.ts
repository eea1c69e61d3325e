import type { LineageReader, StoredLineage } from '../../projections/index.js';
import type { RuleKey } from '../../rules/index.js';

/** Upper bound on the keys that share one statement. Further keys wait for the next statement. */
const KEYS_PER_STATEMENT = 500;

/** Returns the recorded facts of the token with this key. Undefined if there are none. */
export type FindRecorded = (tenant: string, key: RuleKey) => Promise<StoredLineage | undefined>;

interface Waiting {
  readonly tenant: string;
  readonly key: RuleKey;
  readonly resolve: (lineage: StoredLineage | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Lets look-ups that arrive during a statement share the next one: a statement for 64 keys takes hardly longer than one for one key. A
 * look-up never joins a statement that began earlier, so it sees everything committed before it was asked.
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
        const found = await lineage.tokens(
          tenant,
          batch.map(({ key }) => key),
        );
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
