import { RescindError } from '../../contracts/index.js';
import type { ControlState, LogCopies, RecordCopy, Seq, Tenant } from '../../control/index.js';
import type { TopicMessage, TopicReader, TopicSettings, TopicWriter } from '../../platform/kafka/index.js';
import type { Log } from '../../platform/log/index.js';
import type { ControlSeal } from './control-message.js';
import type { Published } from './history.js';
import type { Lead } from './lead.pg.js';
import { controlTopic, controlTopicSettings, revocationsTopic, revocationsTopicSettings, SEQ_HEADER } from './names.js';
import { ruleMessages } from './rule-message.js';
import { findGone } from './sweep.js';

/** Control records of one transaction. */
const RECORDS_A_TRANSACTION = 500;
/** How often cursors of topics without new records are stored. After a crash, that much is read again. */
const IDLE_MOVE_MS = 10_000;

export interface PublisherOptions {
  readonly right: Lead;
  readonly writer: TopicWriter;
  readonly reader: TopicReader;
  readonly copies: LogCopies;
  readonly state: ControlState;
  readonly seal: ControlSeal;
  readonly prefix: string;
  readonly log: Log;
  readonly now: () => number;
}

interface Position {
  /** Seq up to which the control log is published to the topic. */
  seq: Seq;
  /** The same seq as stored in the database. */
  stored: Seq;
  lastOffset: bigint | null;
}

/** Publishes the control log for as long as this process holds the right to. */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #control: string;
  readonly #positions = new Map<string, Position>();
  #cluster = '';
  #idleMovedAt = 0;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#control = controlTopic(options.prefix);
  }

  get topics(): number {
    return this.#positions.size;
  }

  /** Control records that are not published yet, by topic. */
  lags(): (readonly [topic: string, records: number])[] {
    const { head } = this.#options.state;
    return [...this.#positions].map(([topic, { seq }]) => [topic, Number(head - seq)]);
  }

  /** Takes the topics' positions. The writer must have connected: then no other process's record can arrive any more. */
  async begin(readPublished: () => Promise<Published | undefined>): Promise<void> {
    const { writer, prefix } = this.#options;
    this.#cluster = await writer.clusterId();
    await this.#ensure([controlTopicSettings(prefix)]);
    const last = await readPublished();
    // The topic itself tells its position. A stored cursor behind it belongs to a process that died in between.
    await this.#beginTopic(this.#control, last?.record.seq ?? (0n as Seq), last?.offset ?? null);
    await this.#takeTenants();
  }

  /** Publishes the next records. Returns whether there were any. */
  async publishNext(): Promise<boolean> {
    const { copies, state, writer } = this.#options;
    const from = [...this.#positions.values()].reduce((least, { seq }) => (seq < least ? seq : least), state.head);
    const read = await copies.readAfter(from, RECORDS_A_TRANSACTION);
    // Records that are not folded here yet cannot be told to tenants; they follow with the next announcement.
    const known = read.filter(({ record }) => record.seq <= state.head);
    const last = known.at(-1)?.record.seq;
    if (last === undefined) return false;
    // A new tenant among the records begins behind the records read before.
    await this.#takeTenants();
    const publication = this.#publicationOf(known);
    await this.#advance(last, publication.size > 0 ? await writer.publish(publication) : new Map<string, bigint>());
    return true;
  }

  /** Removes rules that no longer stop anything from the tenants' topics. */
  async sweep(): Promise<void> {
    for (const tenant of this.#options.state.tenants()) await this.#sweepTenant(tenant);
  }

  /**
   * Writes every control record to the end of its topic again, as the database has it now, and has the brokers delete what stands before. Tenants' topics
   * go on meanwhile. If it breaks off, the topic holds everything it held, and more.
   */
  async writeAnew(): Promise<void> {
    const { writer, right, log } = this.#options;
    const { stored } = this.#positions.get(this.#control)!;
    // Without a position the topic gets no other record in between: a restore needs them in order.
    this.#positions.delete(this.#control);
    const { first, seq, lastOffset } = await this.#writeFromStart();
    await writer.deleteBefore(this.#control, first);
    await right.move(this.#cluster, [{ topic: this.#control, held: stored, to: { seq, lastOffset } }]);
    this.#positions.set(this.#control, { seq, stored: seq, lastOffset });
    log.info({ topic: this.#control, records: Number(seq) }, 'wrote a topic anew without the names of erased people');
  }

  /** Returns the offset of the first record that it wrote, and the last record with its offset. */
  async #writeFromStart(): Promise<{ readonly first: bigint; readonly seq: Seq; readonly lastOffset: bigint }> {
    const { copies, state, seal, writer } = this.#options;
    let first: bigint | undefined;
    let seq = 0n as Seq;
    let lastOffset = 0n;
    for (;;) {
      // The first record goes alone, so that its offset is the one that the brokers answer.
      const read = await copies.readAfter(seq, first === undefined ? 1 : RECORDS_A_TRANSACTION);
      const known = read.filter(({ record }) => record.seq <= state.head);
      const last = known.at(-1)?.record.seq;
      if (last === undefined) return { first: first!, seq, lastOffset };
      // The new copy replaces the old one, so it must not lack a record.
      if (last !== seq + BigInt(known.length))
        throw new RescindError('control-log-behind', {
          detail: `the database lacks control records between ${seq} and ${last}; ${this.#control} keeps its old copy of them. Run: rescind control restore --from-topic into an empty database`,
        });
      const messages = known.map((copy) => seal.seal(copy));
      lastOffset = (await writer.publish(new Map([[this.#control, messages]]))).get(this.#control)!;
      first ??= lastOffset;
      seq = last;
      while (await this.publishNext());
    }
  }

  async #ensure(topics: readonly TopicSettings[]): Promise<void> {
    const wrong = await this.#options.writer.ensure(topics);
    // Somebody else made the topic and may know better, but records that the brokers delete cannot be restored.
    if (wrong.length > 0)
      this.#options.log.error({ wrong, wanted: topics }, 'a topic has unexpected settings; it is used as it is');
  }

  async #beginTopic(topic: string, seq: Seq, lastOffset: bigint | null): Promise<void> {
    await this.#options.right.begin(this.#cluster, topic, { seq, lastOffset });
    this.#positions.set(topic, { seq, stored: seq, lastOffset });
  }

  /** Makes a topic for each tenant that has none yet. */
  async #takeTenants(): Promise<void> {
    const { state, prefix, right, copies } = this.#options;
    const missing = [...state.tenants()].filter(({ name }) => !this.#positions.has(revocationsTopic(prefix, name)));
    if (missing.length === 0) return;
    await this.#ensure(missing.map(({ name }) => revocationsTopicSettings(prefix, name)));
    const cursors = await right.cursors(this.#cluster);
    for (const tenant of missing) {
      const topic = revocationsTopic(prefix, tenant.name);
      const cursor = cursors.get(topic);
      if (cursor && !(await this.#isMadeAnew(topic, cursor.lastOffset)))
        this.#positions.set(topic, { ...cursor, stored: cursor.seq });
      else await this.#beginTopic(topic, (await copies.beforeTenant(tenant.id)) ?? state.head, null);
    }
  }

  async #isMadeAnew(topic: string, lastOffset: bigint | null): Promise<boolean> {
    if (lastOffset === null) return false;
    const end = await this.#options.reader.end(topic);
    return end === undefined || end <= lastOffset;
  }

  #publicationOf(known: readonly RecordCopy[]): Map<string, TopicMessage[]> {
    const { state, seal, prefix, now } = this.#options;
    const publication = new Map<string, TopicMessage[]>();
    const add = (topic: string, seq: Seq, messages: () => readonly TopicMessage[]): void => {
      const position = this.#positions.get(topic);
      if (!position || seq <= position.seq) return;
      const made = messages();
      if (made.length === 0) return;
      const before = publication.get(topic);
      if (before) before.push(...made);
      else publication.set(topic, [...made]);
    };
    const seconds = Math.floor(now() / 1000);
    for (const copy of known) {
      const { record } = copy;
      add(this.#control, record.seq, () => [seal.seal(copy)]);
      const tenant = state.tenant(record.tenant);
      if (tenant)
        add(revocationsTopic(prefix, tenant.name), record.seq, () =>
          ruleMessages(record, state, seconds).map((message) => withSeq(message, record.seq)),
        );
    }
    return publication;
  }

  /** Advances the cursors after the brokers have acknowledged. A crash before this repeats published records and skips none. */
  async #advance(seq: Seq, offsets: ReadonlyMap<string, bigint>): Promise<void> {
    const { right, now } = this.#options;
    const idleIsDue = now() - this.#idleMovedAt >= IDLE_MOVE_MS;
    if (idleIsDue) this.#idleMovedAt = now();
    const moved = [...this.#positions].filter(([topic, position]) => {
      const offset = offsets.get(topic);
      if (seq > position.seq) position.seq = seq;
      if (offset !== undefined) position.lastOffset = offset;
      return (offset !== undefined || idleIsDue) && position.seq > position.stored;
    });
    if (moved.length === 0) return;
    await right.move(
      this.#cluster,
      moved.map(([topic, { seq: to, stored, lastOffset }]) => ({ topic, held: stored, to: { seq: to, lastOffset } })),
    );
    for (const [, position] of moved) position.stored = position.seq;
  }

  async #sweepTenant(tenant: Tenant): Promise<void> {
    const { right, writer, reader, prefix, log, now } = this.#options;
    const topic = revocationsTopic(prefix, tenant.name);
    const position = this.#positions.get(topic);
    if (!position) return;
    const gone = await findGone(reader, topic, tenant, Math.floor(now() / 1000));
    for (let from = 0; from < gone.length; from += RECORDS_A_TRANSACTION) {
      const messages = gone
        .slice(from, from + RECORDS_A_TRANSACTION)
        .map((key) => withSeq({ key, value: null }, position.seq));
      position.lastOffset = (await writer.publish(new Map([[topic, messages]]))).get(topic)!;
    }
    if (gone.length === 0) return;
    await right.move(this.#cluster, [{ topic, held: position.stored, to: position }]);
    position.stored = position.seq;
    log.info({ topic, rules: gone.length }, 'removed rules that no longer stop anything from a topic');
  }
}

const withSeq = (message: { readonly key: string; readonly value: string | null }, seq: Seq): TopicMessage => ({
  ...message,
  headers: { [SEQ_HEADER]: String(seq) },
});
