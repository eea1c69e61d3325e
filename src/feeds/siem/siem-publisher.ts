import { JSON_MEDIA_TYPE } from '../../contracts/index.js';
import type { OcsfEvent, OcsfReader } from '../../ocsf/index.js';
import type { TopicMessage, TopicReader, TopicWriter } from '../../platform/kafka/index.js';
import type { Log } from '../../platform/log/index.js';
import type { Lead } from '../topics/lead.pg.js';
import { ocsfTopic, ocsfTopicSettings } from './names.js';

export interface SiemPublisherOptions {
  readonly right: Lead<bigint>;
  readonly writer: TopicWriter;
  readonly reader: TopicReader;
  readonly ocsf: OcsfReader;
  readonly tenants: () => Iterable<{ readonly id: string; readonly name: string }>;
  /** Returns the index behind the last entry of a tenant's ledger. */
  readonly headOf: (tenant: string) => Promise<bigint>;
  readonly prefix: string;
  readonly log: Log;
}

interface Position {
  /** Index behind the last entry that is published, as it is stored in the database. */
  next: bigint;
  lastOffset: bigint | null;
  /** The ledger's head as it was last read. */
  head: bigint;
}

/** Publishes ledgers as OCSF for as long as this process holds the right to. */
export class SiemPublisher {
  readonly #options: SiemPublisherOptions;
  readonly #positions = new Map<string, Position>();
  #cluster = '';

  constructor(options: SiemPublisherOptions) {
    this.#options = options;
  }

  /** Entries that are not published yet, by topic. */
  lags(): (readonly [topic: string, entries: number])[] {
    return [...this.#positions].map(([topic, { next, head }]) => [topic, Number(head - next)]);
  }

  /** Call it once the writer has connected: then no other process's record can arrive any more. */
  async begin(): Promise<void> {
    this.#cluster = await this.#options.writer.clusterId();
  }

  /** Publishes the next page of each tenant, so that none waits for another's backlog. Returns whether there was any. */
  async publishNext(): Promise<boolean> {
    let isBusy = false;
    for (const tenant of this.#options.tenants()) isBusy = (await this.#publishTenant(tenant)) || isBusy;
    return isBusy;
  }

  async #publishTenant({ id, name }: { readonly id: string; readonly name: string }): Promise<boolean> {
    const { ocsf, writer, right, prefix, headOf } = this.#options;
    const topic = ocsfTopic(prefix, name);
    const position = this.#positions.get(topic) ?? (await this.#take(topic, name));
    position.head = await headOf(id);
    if (position.next >= position.head) return false;
    const { events, next } = await ocsf.read(id, position.next, position.head);
    const offsets =
      events.length === 0 ? new Map<string, bigint>() : await writer.publish(new Map([[topic, events.map(messageOf)]]));
    const lastOffset = offsets.get(topic) ?? position.lastOffset;
    // A crash before this repeats the page and skips nothing.
    await right.move(this.#cluster, [{ topic, held: position.next, to: { seq: next, lastOffset } }]);
    position.next = next;
    position.lastOffset = lastOffset;
    return true;
  }

  /** Finds where a topic stands. A topic that is new, or was deleted, begins with the ledger. */
  async #take(topic: string, tenantName: string): Promise<Position> {
    const { writer, right, prefix, log } = this.#options;
    const wrong = await writer.ensure([ocsfTopicSettings(prefix, tenantName)]);
    if (wrong.length > 0) log.warn({ wrong }, 'a topic has unexpected settings; it is used as it is');
    const cursor = (await right.cursors(this.#cluster)).get(topic);
    const isKept = cursor !== undefined && !(await this.#isMadeAnew(topic, cursor.lastOffset));
    const position = { next: isKept ? cursor.seq : 0n, lastOffset: isKept ? cursor.lastOffset : null, head: 0n };
    if (!isKept) await right.begin(this.#cluster, topic, { seq: 0n, lastOffset: null });
    this.#positions.set(topic, position);
    return position;
  }

  async #isMadeAnew(topic: string, lastOffset: bigint | null): Promise<boolean> {
    if (lastOffset === null) return false;
    const end = await this.#options.reader.end(topic);
    return end === undefined || end <= lastOffset;
  }
}

const messageOf = (event: OcsfEvent): TopicMessage => ({
  key: String(event.metadata.sequence),
  value: JSON.stringify(event),
  headers: { 'content-type': JSON_MEDIA_TYPE },
});
