import type { GroupMember, GroupMemberOptions, Kafka, KafkaAdmin } from '../../platform/kafka/index.js';
import type { Log } from '../../platform/log/index.js';

/** Delay before a crashed member is replaced. */
const RETRY_MS = 500;
/** Delay before topics that could not be subscribed to are tried again. */
const RESUBSCRIBE_MS = 2_000;

export interface SubscriptionOptions {
  readonly kafka: Kafka;
  readonly admin: KafkaAdmin;
  readonly groupId: string;
  readonly wantedTopics: () => Iterable<string>;
  readonly onAssigned: (member: GroupMember, assignment: Readonly<Record<string, readonly number[]>>) => void;
  readonly take: GroupMemberOptions['take'];
  /** Called before a member leaves the group, when it fetches nothing more. */
  readonly onLeave: () => Promise<void>;
  readonly log: Log;
}

/** Membership in the group for the topics that are wanted and exist. A change of topics or a crash makes a new member. */
export class Subscription {
  readonly #options: SubscriptionOptions;
  /** Topics that were seen at the broker. If somebody deletes one, it is not created again. */
  readonly #known = new Set<string>();
  #member: GroupMember | undefined;
  #topics: readonly string[] = [];
  #renewing: Promise<void> = Promise.resolve();
  #again: NodeJS.Timeout | undefined;
  #problem: string | undefined;
  #isJoined = false;
  #isCrashed = false;
  #isEnding = false;

  constructor(options: SubscriptionOptions) {
    this.#options = options;
  }

  /** Subscribes to the topics that are wanted now. Retries later what fails. */
  renew(): Promise<void> {
    return (this.#renewing = this.#renewing
      .then(() => this.#subscribe())
      .catch((error: unknown) => {
        this.#options.log.error({ err: error }, 'cannot subscribe to all topics; retrying');
        this.#problem = 'the topics of all sources could not be subscribed to';
        this.#renewLater(RESUBSCRIBE_MS);
      }));
  }

  notReadyReason(): string | undefined {
    if (this.#problem !== undefined) return this.#problem;
    if (this.#isCrashed) return 'the Kafka consumer crashed; another is being started';
    return this.#topics.length > 0 && !this.#isJoined ? 'the consumer group has not been joined yet' : undefined;
  }

  /** Makes no further member. */
  end(): void {
    this.#isEnding = true;
    clearTimeout(this.#again);
  }

  async stop(): Promise<void> {
    this.end();
    await this.#renewing;
    await this.#leave();
  }

  #renewLater(afterMs: number): void {
    clearTimeout(this.#again);
    this.#again = setTimeout(() => void this.renew(), afterMs);
    this.#again.unref();
  }

  async #subscribe(): Promise<void> {
    if (this.#isEnding) return;
    const present = await this.#presentTopics();
    if (this.#problem !== undefined) this.#renewLater(RESUBSCRIBE_MS);
    if (present.join() === this.#topics.join() && !this.#isCrashed) return;
    await this.#leave();
    if (present.length === 0) return;
    this.#member = this.#makeMember();
    await this.#member.join(present);
    this.#topics = present;
    this.#options.log.info({ topics: present.length }, 'subscribed to the topics of all sources');
  }

  /** Finds the topics that exist, after creating missing ones. A topic that cannot be created, or is gone, does not affect the others. */
  async #presentTopics(): Promise<string[]> {
    const { admin, log, wantedTopics } = this.#options;
    const wanted = [...new Set(wantedTopics())].sort();
    let existing = await admin.topics();
    const unmade = wanted.filter((topic) => !existing.has(topic) && !this.#known.has(topic));
    if (unmade.length > 0) {
      await admin
        .ensureTopics(unmade)
        .catch((error: unknown) =>
          log.error({ err: error, topics: unmade }, 'cannot create topics; going on with the others'),
        );
      existing = await admin.topics();
    }
    const present = wanted.filter((topic) => existing.has(topic));
    for (const topic of present) this.#known.add(topic);
    const missing = wanted.filter((topic) => !existing.has(topic));
    this.#problem = missing.length > 0 ? `no such topic at the broker: ${missing.join(', ')}` : undefined;
    return present;
  }

  #makeMember(): GroupMember {
    const { kafka, groupId, log, onAssigned, take } = this.#options;
    const made = kafka.groupMember({
      groupId,
      take,
      onAssigned: (assignment) => {
        if (made !== this.#member || this.#isEnding) return;
        this.#isJoined = true;
        onAssigned(made, assignment);
      },
      onCrash: (error) => {
        if (made !== this.#member || this.#isEnding) return;
        log.error({ err: error }, 'the Kafka consumer crashed; starting another');
        this.#isCrashed = true;
        this.#isJoined = false;
        this.#renewLater(RETRY_MS);
      },
    });
    return made;
  }

  /** Stops fetching, lets what was handed over become durable, and leaves the group. */
  async #leave(): Promise<void> {
    const left = this.#member;
    if (left === undefined) return;
    this.#member = undefined;
    left.pauseAll();
    await this.#options.onLeave();
    this.#topics = [];
    this.#isJoined = false;
    this.#isCrashed = false;
    await left.leave();
  }
}
