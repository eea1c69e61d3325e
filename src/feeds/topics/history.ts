import { RescindError } from '../../contracts/index.js';
import type { ControlLog, ControlRecord, LogCopies } from '../../control/index.js';
import type { TopicReader } from '../../platform/kafka/index.js';
import { isSameRecord, type ControlSeal } from './control-message.js';

/** The highest record that this deployment published to its topic. */
export interface Published {
  readonly record: ControlRecord;
  readonly offset: bigint;
}

export interface PublishedHistory {
  /** Undefined if nothing was ever published. */
  readonly last: Published | undefined;
  /** Records that were read and not sealed with this deployment's key. */
  readonly foreign: number;
}

export interface HistoryOptions {
  readonly reader: TopicReader;
  readonly topic: string;
  /** Undefined if this deployment has no key yet; then every record in the topic is a stranger's. */
  readonly seal: ControlSeal | undefined;
  /** Offset of a record that this database knows as published. If null or gone from the topic, the topic is read from its start. */
  readonly from: bigint | null;
}

/**
 * Finds the highest record that was published. Reads everything behind `from`, because a stranger may add records of their own or repeat
 * old ones behind the last record. Throws `control-topic-sealed` if there are records and none opens with the key.
 */
export async function findPublished({ reader, topic, seal, from }: HistoryOptions): Promise<PublishedHistory> {
  let last: Published | undefined;
  let foreign = 0;
  for await (const records of reader.read(topic, from)) {
    for (const message of records) {
      const copy = seal?.open(message);
      if (copy === undefined) foreign += 1;
      else if (last === undefined || copy.record.seq >= last.record.seq)
        last = { record: copy.record, offset: message.offset };
    }
  }
  if (last === undefined && foreign > 0) throw sealed(topic, seal);
  return { last, foreign };
}

/** Makes the refusal of a topic that cannot be opened, with what to do. */
export const sealed = (topic: string, seal: ControlSeal | undefined): RescindError =>
  new RescindError('control-topic-sealed', {
    detail: seal
      ? `${topic} has records, and none of them opens with this deployment's key. If another deployment publishes there, set TOPIC_PREFIX; if the key is an old one, set CONTROL_TOPIC_KEY to the right one`
      : `${topic} has records, and this database has no key to open them: it is empty or another one. Set CONTROL_TOPIC_KEY to the key of the deployment (a copy is in control-topic-key of each node's home), then run: rescind control restore --from-topic`,
  });

/**
 * Checks that the database continues from the last record published from it. Throws `control-log-behind` with what to do if it does not.
 * `published` MUST have been read first: records are published after their commit, so a database that nobody has put back contains
 * whatever was published.
 */
export async function requireContinued(
  published: ControlRecord,
  topic: string,
  log: { copies: LogCopies; controlLog: ControlLog },
): Promise<void> {
  const { seq } = published;
  const head = await log.copies.head();
  if (head < seq) {
    throw behind(
      `the database has ${head} control records and ${topic} has ${seq}: an old backup was restored, or an empty database started. Run: rescind control restore --from-topic`,
    );
  }
  const [stored] = await log.controlLog.readRange(seq, seq);
  if (stored && isSameRecord(stored, published)) return;
  throw behind(
    `record ${seq} of the database is another than in ${topic}: one of the two belongs to another deployment, or was written after an old backup was restored. ` +
      'Set TOPIC_PREFIX if the deployment is another; else restore a backup from before the two parted, then run: rescind control restore --from-topic',
  );
}

const behind = (detail: string): RescindError => new RescindError('control-log-behind', { detail });
