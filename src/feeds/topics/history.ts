import { RescindError } from '../../contracts/index.js';
import type { ControlLog, ControlRecord, LogCopies } from '../../control/index.js';
import { isSameRecord } from './control-message.js';

/**
 * Whether the database goes on from the last record that was published of it; throws `control-log-behind` with what to do
 * where it does not. `published` MUST have been read before: records are published after they were committed, so whatever was
 * published is in a database that nobody has put back.
 */
export async function requireContinued(published: ControlRecord, topic: string, log: { copies: LogCopies; controlLog: ControlLog }): Promise<void> {
  const { seq } = published;
  const head = await log.copies.head();
  if (head < seq) {
    throw behind(`the database has ${head} control records and ${topic} has ${seq}: an old backup was restored, or an empty database started. Run: rescind control restore --from-topic`);
  }
  const [stored] = await log.controlLog.readRange(seq, seq);
  if (stored && isSameRecord(stored, published)) return;
  throw behind(
    `record ${seq} of the database is another than in ${topic}: one of the two belongs to another deployment, or was written after an old backup was restored. ` +
      'Set TOPIC_PREFIX if the deployment is another; else restore a backup from before the two parted, then run: rescind control restore --from-topic',
  );
}

const behind = (detail: string): RescindError => new RescindError('control-log-behind', { detail });
