import { RescindError } from '../../contracts/index.js';
import { takeNext, type Counted } from './next-batch.js';
import { itemsOf, speakerOf, type Item, type Outcome, type Submission } from './submission.js';
import { createWaitingRoom, type DoorName, type Load } from './waiting-room.js';
import { weightOf } from './weight.js';

/** Delay before owed entries and rules are tried again after a failure, unless a batch takes them along earlier. */
const OWED_RETRY_MS = 1_000;

/** A submission that waits for its batch, and then for its answer. */
export interface Waiting extends Counted {
  readonly door: DoorName;
  readonly load: Load;
  /** The submission's events, in order. */
  readonly items: readonly Item[];
  readonly resolve: (outcomes: readonly Outcome[]) => void;
  readonly reject: (error: unknown) => void;
}

/** Submissions that wait to be written, one batch at a time. */
export interface SubmissionQueue {
  /** Resolves as the writer answers. Rejects with `overloaded` if HTTP has no room. */
  submit(submission: Submission): Promise<readonly Outcome[]>;
  /** Resolves when a partition may hand over more. */
  readonly roomForKafka: () => Promise<void>;
  /** Moves a speaker's submissions, present and future, to be written apart and in order, until a batch of them has no refusal. */
  setApart(batch: readonly Waiting[]): void;
  /** Writes a batch even if nothing waits, because owed entries do. */
  wake(): void;
  /** Wakes after a while, for the work that a failed batch would have taken along: it does not wait for the next event. */
  wakeLater(): void;
  /** Finishes submitted work and refuses later submissions. */
  stop(): Promise<void>;
  /** Number of events that wait. */
  readonly events: number;
}

export interface SubmissionQueueOptions {
  /** Writes a batch and answers each of its submissions. Resolves to whether the database refused an event. Must not reject. */
  readonly write: (batch: readonly Waiting[], isApart: boolean) => Promise<boolean>;
  /** Called with each submission that gets a place, before it waits. */
  readonly onPlace: (submission: Submission) => void;
}

export function createSubmissionQueue({ write, onPlace }: SubmissionQueueOptions): SubmissionQueue {
  let waiting: Waiting[] = [];
  /** Waiting submissions of speakers whose events the database refused. They are written apart, so that the search delays nobody else. */
  const apart = new Map<string, Waiting[]>();
  const room = createWaitingRoom();
  let awake = false;
  let later: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let runningApart: Promise<void> | undefined;
  let stopping = false;

  const isDue = (): boolean => waiting.length > 0 || awake;

  const run = (): void => {
    if (running === undefined && isDue()) running = drain();
  };

  async function drain(): Promise<void> {
    try {
      while (isDue()) {
        const { batch, rest } = takeNext(waiting);
        waiting = rest;
        awake = false;
        for (const { door, load, speaker } of batch) room.leave(door, load, speaker);
        await write(batch, false);
      }
    } finally {
      // Synchronous with the last check for due work: a later submission starts a new run.
      running = undefined;
    }
  }

  /** Writes the submissions set apart. Speakers take turns, a batch each. */
  async function drainApart(): Promise<void> {
    try {
      for (;;) {
        const [speaker, theirs] = [...apart].find(([, one]) => one.length > 0) ?? [];
        if (speaker === undefined || theirs === undefined) return;
        const { batch, rest } = takeNext(theirs);
        apart.delete(speaker);
        apart.set(speaker, rest);
        for (const { door, load } of batch) if (door === 'http') room.leave(door, load, speaker);
        const refused = await write(batch, true);
        if (!refused && apart.get(speaker)!.length === 0) apart.delete(speaker);
      }
    } finally {
      runningApart = undefined;
    }
  }

  const wake = (): void => {
    awake = true;
    run();
  };

  return {
    submit(submission) {
      if (stopping) return Promise.reject(new RescindError('shutting-down'));
      const { door, load, speaker } = arrivalOf(submission);
      const theirs = apart.get(speaker);
      const needsRoom = door === 'http' || !theirs;
      if (needsRoom && !room.enter(door, load, speaker)) return Promise.reject(new RescindError('overloaded'));
      onPlace(submission);
      return new Promise((resolve, reject) => {
        const items = itemsOf(submission);
        const one = { submission, items, door, load, speaker, ...countsOf(submission), resolve, reject };
        if (theirs) {
          theirs.push(one);
          runningApart ??= drainApart();
        } else {
          waiting.push(one);
          run();
        }
      });
    },
    roomForKafka: room.roomForKafka,
    setApart(batch) {
      const { speaker } = batch[0]!;
      // Kafka's submissions leave Kafka's room, where they would block other topics. The fetches of their partitions bound them.
      const following = waiting.filter((one) => one.speaker === speaker);
      for (const { door, load } of batch) if (door === 'http') room.enterAgain(load, speaker);
      for (const { door, load } of following) if (door === 'kafka') room.leave(door, load, speaker);
      apart.set(speaker, [...batch, ...following]);
      waiting = waiting.filter((one) => one.speaker !== speaker);
      runningApart ??= drainApart();
    },
    wake,
    wakeLater() {
      if (stopping) return;
      clearTimeout(later);
      later = setTimeout(wake, OWED_RETRY_MS);
      later.unref();
    },
    async stop() {
      stopping = true;
      clearTimeout(later);
      room.close();
      await running;
      await runningApart;
    },
    get events() {
      return room.events;
    },
  };
}

const arrivalOf = (submission: Submission): Pick<Waiting, 'door' | 'load' | 'speaker'> => ({
  door: submission.offset ? 'kafka' : 'http',
  load: {
    events: submission.events.length,
    bytes: submission.events.reduce((sum, { arrived }) => sum + arrived.bytes.length, 0),
  },
  speaker: speakerOf(submission),
});

function countsOf({ events, own }: Submission): Pick<Waiting, 'weight' | 'refused'> {
  let refused = 0;
  // Each of Rescind's own is an entry, and of a token its rows.
  let weight = own?.length ?? 0;
  for (const judged of events) {
    weight += weightOf(judged);
    if (!judged.accepted) refused += 1;
  }
  return { weight, refused };
}
