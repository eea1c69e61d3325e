/** Events posted that wait in memory; beyond it a client is told to come back later. */
export const MAX_WAITING_EVENTS = 20_000;

/** Their bytes as they came; beyond it likewise, whichever comes first. */
export const MAX_WAITING_BYTES = 64 * 1024 * 1024;

/** Of either, what may wait that Kafka brought before the next fetch is looked at: Kafka keeps the rest, and HTTP has its own room. */
const KAFKA_SHARE = 0.5;

export type DoorName = 'kafka' | 'http';

export interface Load {
  readonly events: number;
  readonly bytes: number;
}

/** Counts what waits to be written, each door by itself, so that a flood at one is not felt at the other. */
export interface WaitingRoom {
  /** Whether there is room; takes it. Kafka's always has, since it asks {@link roomForKafka} before. */
  enter(door: DoorName, load: Load): boolean;
  leave(door: DoorName, load: Load): void;
  /** Resolves when what Kafka brought earlier leaves room for more. */
  roomForKafka(): Promise<void>;
  /** Lets all in that wait: they are refused by other means. */
  close(): void;
  readonly events: number;
}

export function createWaitingRoom(bounds: Load = { events: MAX_WAITING_EVENTS, bytes: MAX_WAITING_BYTES }): WaitingRoom {
  const taken = { kafka: { events: 0, bytes: 0 }, http: { events: 0, bytes: 0 } };
  const { kafka, http } = taken;
  let queue: (() => void)[] = [];
  let closed = false;

  const isKafkaFull = (): boolean => !closed && (kafka.events >= bounds.events * KAFKA_SHARE || kafka.bytes >= bounds.bytes * KAFKA_SHARE);

  function letIn(): void {
    const waiting = queue;
    queue = [];
    for (const resolve of waiting) resolve();
  }

  return {
    enter(door, { events, bytes }) {
      // A request larger than the room comes in alone.
      if (door === 'http' && http.events > 0 && (http.events + events > bounds.events || http.bytes + bytes > bounds.bytes)) return false;
      taken[door].events += events;
      taken[door].bytes += bytes;
      return true;
    },
    leave(door, { events, bytes }) {
      taken[door].events -= events;
      taken[door].bytes -= bytes;
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
