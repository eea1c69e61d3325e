/** Milliseconds on the clock that all processes of a host share (CLOCK_MONOTONIC). */
export type HostMs = number;

export const hostClock = (): HostMs => Number(process.hrtime.bigint()) / 1e6;

/** Epoch milliseconds at the host clock's zero. Taken once: what compares the two allows for {@link CLOCK_MARGIN_MS}. */
export const epochAtZero = (): number => Date.now() - hostClock();

/** Whole seconds are rounded either way, and the wall clock may have been adjusted since it was compared. */
export const CLOCK_MARGIN_MS = 1_500;

/** A namespaced value of one dimension, as text: what selectors name and lineages hold. Knows nothing of the product's keys. */
export type Value = string;

export const valueOf = (dimension: string, ...parts: readonly (string | null)[]): Value =>
  JSON.stringify([dimension, ...parts]);

const IDENTITY = /^\["(?:token|id_jag|session)",/;

/** Whether an order names a token, an ID-JAG or a session: once revoked, everything that has it in its lineage is stopped, whenever it was granted. */
export const isByIdentity = ({ selector }: { readonly selector: readonly Value[] }): boolean =>
  selector.some((value) => IDENTITY.test(value));

/** A token as it was recorded. Times of recording are the earliest of its lineage, since the lowest seq counts. */
export interface RecordedToken {
  /** Values of the token and of its whole lineage. */
  readonly values: ReadonlySet<Value>;
  /** Oldest `iat` of the lineage, epoch seconds. */
  readonly grantedAt: number;
  /** Largest of the sources involved, seconds. */
  readonly skew: number;
  /** Before the event of a member was sent for the first time. */
  readonly recordingBegan: HostMs;
  /** When a member was first known to be recorded. */
  readonly recorded: HostMs;
}

/** The time from before the first attempt to the first answer that the order is in force; attempts in between may have worked. */
export interface Sent {
  readonly began: HostMs;
  /** Undefined: not answered, so it may be in force or not. */
  answered?: HostMs | undefined;
}

export interface SentOrder extends Sent {
  /** A conjunction, narrowest first; nothing at all selects everything. */
  readonly selector: readonly Value[];
  readonly effect: 'revoke' | 'block';
  /** `revoke`, epoch seconds; undefined: as of the order. */
  readonly before?: number | undefined;
  /** `block`, epoch seconds. */
  readonly until?: number | undefined;
  /** With `until`: tokens that the rule stopped are good again afterwards. */
  readonly resume?: boolean | undefined;
  lift?: SentLift | undefined;
  /** The door that the order came through, for readers of the evidence. */
  readonly door: 'order' | 'revoke' | 'event';
}

export interface SentLift extends Sent {
  readonly resume: boolean;
}

export const ANSWERS = ['active', 'inactive', 'unavailable'] as const;
export type CheckAnswer = (typeof ANSWERS)[number];

export interface Check {
  readonly token: number;
  /** Position in `vias`. */
  readonly via: number;
  /** When it was sent; behind another question of its connection, a moment before the answer to that one went out, if that is later. */
  readonly began: HostMs;
  readonly ended: HostMs;
  readonly answer: CheckAnswer;
}

export interface History {
  readonly epochAtZero: number;
  readonly tokens: readonly RecordedToken[];
  readonly orders: readonly SentOrder[];
  readonly checks: Iterable<Check>;
}

const FIRST_CAPACITY = 1 << 16;

/** Checks by the million, in columns. */
export class CheckLog implements Iterable<Check> {
  /** Checks that were sent before the answer in front of theirs went out, and are judged from then on. */
  behind = 0;
  #length = 0;
  #tokens = new Uint32Array(FIRST_CAPACITY);
  #vias = new Uint8Array(FIRST_CAPACITY);
  #answers = new Uint8Array(FIRST_CAPACITY);
  #times = new Float64Array(2 * FIRST_CAPACITY);

  get length(): number {
    return this.#length;
  }

  push(token: number, via: number, answer: number, began: HostMs, ended: HostMs): void {
    if (this.#length === this.#tokens.length) this.#grow();
    const at = this.#length++;
    this.#tokens[at] = token;
    this.#vias[at] = via;
    this.#answers[at] = answer;
    this.#times[2 * at] = began;
    this.#times[2 * at + 1] = ended;
  }

  at(at: number): Check {
    const [began, ended] = [this.#times[2 * at]!, this.#times[2 * at + 1]!];
    return { token: this.#tokens[at]!, via: this.#vias[at]!, began, ended, answer: ANSWERS[this.#answers[at]!]! };
  }

  *[Symbol.iterator](): Generator<Check> {
    yield* this.between(0, this.#length);
  }

  *between(from: number, to: number): Generator<Check> {
    for (let at = from; at < to; at += 1) yield this.at(at);
  }

  #grow(): void {
    const twice = <A extends Uint32Array | Uint8Array | Float64Array>(old: A): A => {
      const grown = new (old.constructor as new (length: number) => A)(2 * old.length);
      grown.set(old);
      return grown;
    };
    this.#tokens = twice(this.#tokens);
    this.#vias = twice(this.#vias);
    this.#answers = twice(this.#answers);
    this.#times = twice(this.#times);
  }
}
