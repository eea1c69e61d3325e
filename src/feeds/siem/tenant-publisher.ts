import type { TopicMessage, TopicReader, TopicSettings, TopicWriter } from '../../platform/kafka/index.js';
import type { Log } from '../../platform/log/index.js';
import type { Lead } from '../topics/lead.pg.js';

/** Reads what is published of each tenant, in an order that does not change. A position is the number of the last thing before it. */
export interface TenantSource {
  readonly tenants: () => Iterable<{ readonly id: string; readonly name: string }>;
  settings(tenantName: string): TopicSettings;
  /** Returns the position behind the last thing there is. */
  head(tenant: string): Promise<bigint>;
  /** Reads the next page behind `from`, up to `head`, and the position behind it. */
  read(
    tenant: { readonly id: string; readonly name: string },
    from: bigint,
    head: bigint,
  ): Promise<{ readonly messages: readonly TopicMessage[]; readonly next: bigint }>;
}

export interface TenantPublisherOptions {
  readonly right: Lead<bigint>;
  readonly writer: TopicWriter;
  readonly reader: TopicReader;
  readonly source: TenantSource;
  readonly log: Log;
}

interface Position {
  /** Position up to which everything is published, as it is stored in the database. */
  next: bigint;
  lastOffset: bigint | null;
  /** The head as it was last read. */
  head: bigint;
}

/** Publishes what a source has of each tenant to a topic of its own, for as long as this process holds the right to. */
export class TenantPublisher {
  readonly #options: TenantPublisherOptions;
  readonly #positions = new Map<string, Position>();
  #cluster = '';

  constructor(options: TenantPublisherOptions) {
    this.#options = options;
  }

  /** Counts what is not published yet, by topic. */
  lags(): (readonly [topic: string, lag: number])[] {
    return [...this.#positions].map(([topic, { next, head }]) => [topic, Number(head - next)]);
  }

  /** Call it once the writer has connected: then no other process's record can arrive any more. */
  async begin(): Promise<void> {
    this.#cluster = await this.#options.writer.clusterId();
  }

  /** Publishes the next page of each tenant, so that none waits for another's backlog. Returns whether there was any. */
  async publishNext(): Promise<boolean> {
    let isBusy = false;
    for (const tenant of this.#options.source.tenants()) isBusy = (await this.#publishTenant(tenant)) || isBusy;
    return isBusy;
  }

  async #publishTenant(tenant: { readonly id: string; readonly name: string }): Promise<boolean> {
    const { source, writer, right } = this.#options;
    const settings = source.settings(tenant.name);
    const { topic } = settings;
    const position = this.#positions.get(topic) ?? (await this.#take(settings));
    position.head = await source.head(tenant.id);
    if (position.next >= position.head) return false;
    const { messages, next } = await source.read(tenant, position.next, position.head);
    const offsets =
      messages.length === 0 ? new Map<string, bigint>() : await writer.publish(new Map([[topic, messages]]));
    const lastOffset = offsets.get(topic) ?? position.lastOffset;
    // A crash before this repeats the page and skips nothing.
    await right.move(this.#cluster, [{ topic, held: position.next, to: { seq: next, lastOffset } }]);
    position.next = next;
    position.lastOffset = lastOffset;
    return true;
  }

  /** Finds where a topic stands. A topic that is new, or was deleted, begins with the first thing. */
  async #take(settings: TopicSettings): Promise<Position> {
    const { writer, right, log } = this.#options;
    const { topic } = settings;
    const wrong = await writer.ensure([settings]);
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
