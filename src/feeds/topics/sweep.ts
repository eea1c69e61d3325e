import type { Tenant } from '../../control/index.js';
import { isGone } from './rule-message.js';
import type { TopicReader } from './topic-reader.kafka.js';

/** Ids of rules that stand in a tenant's topic and stop nothing any more: compaction of the state drops them without a record. */
export async function findGone(reader: TopicReader, topic: string, tenant: Tenant, now: number): Promise<readonly string[]> {
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
