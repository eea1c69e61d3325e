/** A delivery: its channel and its news. */
interface Delivery {
  readonly id: string;
  readonly seq: string;
}

/** Attempts that are under way, by channel. */
export interface UnderWay {
  /** Whether another attempt may begin: `atOnce` of a channel, one of a channel whose last attempt failed, one of a delivery. */
  hasRoom(delivery: Delivery, atOnce: number): boolean;
  begin(delivery: Delivery, attempt: Promise<void>): void;
  /** Notes whether the last attempt of a channel was taken. */
  tell(channel: string, isDelivered: boolean): void;
  /** Forgets the attempts that have ended. They count until the next look, since the look before may have read them as due while they were under way. */
  forgetEnded(): void;
  allEnded(): Promise<void>;
}

/** Keeps what is under way: `most` attempts of all channels at the same time. */
export function createUnderWay(most: number): UnderWay {
  const byChannel = new Map<string, Set<string>>();
  const attempts = new Set<Promise<void>>();
  const failing = new Set<string>();
  let ended: Delivery[] = [];

  return {
    hasRoom({ id, seq }, atOnce) {
      const sent = byChannel.get(id);
      const room = failing.has(id) ? 1 : atOnce;
      return attempts.size < most && (sent === undefined || (sent.size < room && !sent.has(seq)));
    },
    begin(delivery, attempt) {
      byChannel.set(delivery.id, (byChannel.get(delivery.id) ?? new Set()).add(delivery.seq));
      const noted = attempt.finally(() => {
        ended.push(delivery);
        attempts.delete(noted);
      });
      attempts.add(noted);
    },
    tell(channel, isDelivered) {
      if (isDelivered) failing.delete(channel);
      else failing.add(channel);
    },
    forgetEnded() {
      for (const { id, seq } of ended) {
        const sent = byChannel.get(id)!;
        sent.delete(seq);
        if (sent.size === 0) byChannel.delete(id);
      }
      ended = [];
    },
    async allEnded() {
      await Promise.all(attempts);
    },
  };
}
