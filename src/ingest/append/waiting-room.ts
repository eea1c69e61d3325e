/** Posted events that may wait in memory. Beyond them a client is told to come back later. */
export const MAX_WAITING_EVENTS = 20_000;

/** Bytes of posted events that may wait, as they came. Whichever of the two bounds is reached first applies. */
export const MAX_WAITING_BYTES = 64 * 1024 * 1024;

/**
 * Share of either bound that Kafka's events may take before the next fetch waits. Kafka keeps further records, and HTTP has its own room.
 */
const KAFKA_SHARE = 0.5;

/** Share of HTTP's room that one speaker may take while it has events there. The rest is left to others. */
const SPEAKER_SHARE = 0.5;

export type DoorName = 'kafka' | 'http';

export interface Load {
  readonly events: number;
  readonly bytes: number;
}

const NOTHING: Load = { events: 0, bytes: 0 };

/** Counts the events that wait to be written, separately for each door, so that a flood at one door does not affect the other. */
export interface WaitingRoom {
  /** Takes room for the speaker if there is room. Kafka's events always get room, because Kafka waits for {@link roomForKafka} first. */
  enter(door: DoorName, load: Load, speaker: string): boolean;
  /** Takes room of HTTP for events that had left and must wait again, even beyond the bound. */
  enterAgain(load: Load, speaker: string): void;
  leave(door: DoorName, load: Load, speaker: string): void;
  /** Resolves when Kafka's earlier events leave room for more. */
  roomForKafka(): Promise<void>;
  /** Lets everyone in who waits; they are refused by other means. */
  close(): void;
  readonly events: number;
}

export function createWaitingRoom(
  bounds: Load = { events: MAX_WAITING_EVENTS, bytes: MAX_WAITING_BYTES },
): WaitingRoom {
  const taken = { kafka: { events: 0, bytes: 0 }, http: { events: 0, bytes: 0 } };
  const { kafka, http } = taken;
  /** HTTP's waiting events and bytes, by speaker. */
  const speakers = new Map<string, { events: number; bytes: number }>();
  const queue: (() => void)[] = [];
  let closed = false;

  const isKafkaFull = (): boolean =>
    !closed && (kafka.events >= bounds.events * KAFKA_SHARE || kafka.bytes >= bounds.bytes * KAFKA_SHARE);

  function letIn(): void {
    for (const resolve of queue.splice(0)) resolve();
  }

  /** Whether the load fits. A request larger than the bound is admitted alone. */
  const fits = (present: Load, { events, bytes }: Load, share: number): boolean =>
    present.events === 0 ||
    (present.events + events <= bounds.events * share && present.bytes + bytes <= bounds.bytes * share);

  const hasRoom = (load: Load, speaker: string): boolean =>
    fits(http, load, 1) && fits(speakers.get(speaker) ?? NOTHING, load, SPEAKER_SHARE);

  function add(door: DoorName, { events, bytes }: Load, speaker: string, sign: 1 | -1): void {
    const of = speakers.get(speaker) ?? { events: 0, bytes: 0 };
    for (const sum of door === 'http' ? [http, of] : [kafka]) {
      sum.events += sign * events;
      sum.bytes += sign * bytes;
    }
    if (of.events > 0) speakers.set(speaker, of);
    else speakers.delete(speaker);
  }

  return {
    enter(door, load, speaker) {
      if (door === 'http' && !hasRoom(load, speaker)) return false;
      add(door, load, speaker, 1);
      return true;
    },
    enterAgain: (load, speaker) => add('http', load, speaker, 1),
    leave(door, load, speaker) {
      add(door, load, speaker, -1);
      if (!isKafkaFull()) letIn();
    },
    async roomForKafka() {
      while (isKafkaFull()) await new Promise<void>((resolve) => queue.push(resolve));
    },
    close() {
      closed = true;
      letIn();
    },
    get events() {
      return kafka.events + http.events;
    },
  };
}
