import type { Tenant } from '../../control/index.js';
import type { TopicReader } from '../../platform/kafka/index.js';
import { isGone } from './rule-message.js';

/** Finds ids of rules in a tenant's topic that no longer stop anything. Compaction drops them from the state without a record. */
export async function findGone(
  reader: TopicReader,
  topic: string,
  tenant: Tenant,
  now: number,
): Promise<readonly string[]> {
  const gone = new Set<string>();
  for await (const records of reader.read(topic)) {
    for (const { key, value } of records) {
      if (key === null) continue;
      if (value === null) gone.delete(key);
      else if (isGone(tenant, key, now)) gone.add(key);
    }
  }
  return [...gone];
}
