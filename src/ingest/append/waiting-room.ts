/** Events posted that wait in memory; beyond it a client is told to come back later. */
export const MAX_WAITING_EVENTS = 20_000;

/** Their bytes as they came; beyond it likewise, whichever comes first. */
export const MAX_WAITING_BYTES = 64 * 1024 * 1024;

/** Of either, what may wait that Kafka brought before the next fetch is looked at: Kafka keeps the rest, and HTTP has its own room. */
const KAFKA_SHARE = 0.5;

/** Of HTTP's room, what one speaker may take while it has something there: the rest is the others'. */
const SPEAKER_SHARE = 0.5;

export type DoorName = 'kafka' | 'http';

export interface Load {
  readonly events: number;
  readonly bytes: number;
}

const NOTHING: Load = { events: 0, bytes: 0 };

/** Counts what waits to be written, each door by itself, so that a flood at one is not felt at the other. */
export interface WaitingRoom {
  /** Whether there is room for the speaker; takes it. Kafka's always has, since it asks {@link roomForKafka} before. */
  enter(door: DoorName, load: Load, speaker: string): boolean;
  /** Takes room of HTTP for what left and must wait again, whether there is any or not. */
  enterAgain(load: Load, speaker: string): void;
  leave(door: DoorName, load: Load, speaker: string): void;
  /** Resolves when what Kafka brought earlier leaves room for more. */
  roomForKafka(): Promise<void>;
  /** Lets all in that wait: they are refused by other means. */
  close(): void;
  readonly events: number;
}

export function createWaitingRoom(bounds: Load = { events: MAX_WAITING_EVENTS, bytes: MAX_WAITING_BYTES }): WaitingRoom {
  const taken = { kafka: { events: 0, bytes: 0 }, http: { events: 0, bytes: 0 } };
  const { kafka, http } = taken;
  /** Of HTTP's, by speaker. */
  const speakers = new Map<string, { events: number; bytes: number }>();
  const queue: (() => void)[] = [];
  let closed = false;

  const isKafkaFull = (): boolean => !closed && (kafka.events >= bounds.events * KAFKA_SHARE || kafka.bytes >= bounds.bytes * KAFKA_SHARE);

  function letIn(): void {
    for (const resolve of queue.splice(0)) resolve();
  }

  /** A request larger than its bound comes in alone. */
  const fits = (present: Load, { events, bytes }: Load, share: number): boolean =>
    present.events === 0 || (present.events + events <= bounds.events * share && present.bytes + bytes <= bounds.bytes * share);

  const hasRoom = (load: Load, speaker: string): boolean => fits(http, load, 1) && fits(speakers.get(speaker) ?? NOTHING, load, SPEAKER_SHARE);

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
