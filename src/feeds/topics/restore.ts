import { RescindError } from '../../contracts/index.js';
import { createLogCopies, type ControlRecord, type LogCopies, type RecordCopy, type Seq } from '../../control/index.js';
import type { Kafka } from '../../platform/kafka/index.js';
import type { Pool } from '../../platform/postgres/index.js';
import { createControlSeal, isSameRecord } from './control-message.js';
import { sealed } from './history.js';
import { controlTopic } from './names.js';
import type { TopicKeys } from './topic-key.pg.js';

/** Records of one database transaction. A restore that was interrupted continues behind the last transaction when it runs again. */
const RECORDS_A_TRANSACTION = 2_000;

export interface Restored {
  /** Records that the database already had, each compared with the topic's record. */
  readonly compared: number;
  readonly restored: number;
  /** Records that occur in the topic more than once. */
  readonly repeated: number;
  /** Records that were not sealed with this deployment's key and were left out. */
  readonly foreign: number;
  /** The database's last record now; higher than the topic's if the topic was behind. */
  readonly head: string;
  /** The topic's last record. */
  readonly published: string;
}

export interface RestoreOptions {
  readonly kafka: Kafka;
  readonly pool: Pool;
  readonly keys: TopicKeys;
  readonly prefix: string;
  /** Called after each transaction, and after as many records that were only compared. */
  readonly onProgress?: (seq: bigint) => void;
}

/**
 * Brings the control log of a database up to the end of the topic. The database must be empty, or its records must be exactly the topic's
 * first ones. Throws `control-log-behind` if they are not, `control-topic-corrupt` if the topic lacks records or two deployments have
 * published to it, `control-topic-sealed` if the key is missing or wrong, and `edit-conflict` if another process writes. Records restored
 * before an error stay and are correct.
 */
export async function restoreControlLog({
  kafka,
  pool,
  keys,
  prefix,
  onProgress = () => undefined,
}: RestoreOptions): Promise<Restored> {
  const topic = controlTopic(prefix);
  const reader = kafka.topicReader();
  const restoration = await createRestoration(createLogCopies({ pool }), topic, onProgress);
  const key = await keys.find();
  const seal = key && createControlSeal(key);
  let opened = 0;
  let foreign = 0;
  try {
    for await (const records of reader.read(topic)) {
      for (const record of records) {
        const copy = seal?.open(record);
        if (copy) await restoration.take(copy);
        if (copy) opened += 1;
        else foreign += 1;
      }
    }
  } finally {
    await reader.stop();
  }
  if (opened === 0 && foreign > 0) throw sealed(topic, seal);
  const restored = await restoration.end();
  // The publisher continues under the same key.
  await keys.ensure();
  return { ...restored, foreign };
}

async function createRestoration(log: LogCopies, topic: string, onProgress: (seq: bigint) => void) {
  const had = await log.head();
  let head = had;
  /** Seq of the topic up to which every record has been compared or is waiting. */
  let last = 0n as Seq;
  let repeated = 0;
  let waiting: RecordCopy[] = [];

  /** Compares the waiting records that the database has, and adds the others. */
  async function flush(): Promise<void> {
    const copies = waiting;
    waiting = [];
    const known = copies.filter(({ record }) => record.seq <= had);
    const unknown = copies.slice(known.length);
    if (known.length > 0) await compare(known.map(({ record }) => record));
    if (unknown.length > 0) {
      await log.restore(head, unknown);
      head = unknown.at(-1)!.record.seq;
    }
    if (copies.length > 0) onProgress(last);
  }

  async function compare(published: readonly ControlRecord[]): Promise<void> {
    const stored = await log.readAfter((published[0]!.seq - 1n) as Seq, published.length);
    const differs = published.find((record, nth) => !stored[nth] || !isSameRecord(stored[nth].record, record));
    if (differs === undefined) return;
    throw new RescindError('control-log-behind', {
      detail: `record ${differs.seq} of the database is another than in ${topic}: restore into an empty database, or a backup from before the two parted`,
    });
  }

  async function takeAgain(record: ControlRecord): Promise<void> {
    const pending = waiting.find((copy) => copy.record.seq === record.seq)?.record;
    const known = pending ?? (await log.readAfter((record.seq - 1n) as Seq, 1))[0]?.record;
    if (!known || !isSameRecord(known, record))
      throw corrupt(topic, `holds two records with seq ${record.seq}: two deployments have published to it`);
    repeated += 1;
  }

  return {
    async take(copy: RecordCopy): Promise<void> {
      const { seq } = copy.record;
      if (seq <= last) return takeAgain(copy.record);
      if (seq !== last + 1n)
        throw corrupt(
          topic,
          last === 0n
            ? `begins with record ${seq}: its first ones were deleted`
            : `lacks the records between ${last} and ${seq}`,
        );
      last = seq;
      waiting.push(copy);
      if (waiting.length >= RECORDS_A_TRANSACTION) await flush();
    },
    async end(): Promise<Omit<Restored, 'foreign'>> {
      await flush();
      return {
        compared: Number(last < had ? last : had),
        restored: Number(head - had),
        repeated,
        head: String(head),
        published: String(last),
      };
    },
  };
}

const corrupt = (topic: string, what: string): RescindError =>
  new RescindError('control-topic-corrupt', { detail: `${topic} ${what}` });
