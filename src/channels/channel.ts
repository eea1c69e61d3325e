import type { TSchema } from 'typebox';
import type { FindingItem, What } from '../findings/index.js';
import type { Egress } from '../platform/egress/index.js';

/** Content of a message: a change of a finding, or nothing but that the channel works. */
export type Told = What | 'test';

/** One thing to tell a receiver. It is the same in each attempt, but for the finding, which is as it is now. */
export interface Message {
  /** Stays the same in each attempt, so that a receiver recognises what it has. Without full stops, as Standard Webhooks asks. */
  readonly id: string;
  readonly told: Told;
  /** When it happened, RFC 3339. */
  readonly at: string;
  readonly finding: FindingItem;
  /** Address of the finding for people; null if the deployment has not said how it is reached. */
  readonly link: string | null;
}

/** A secret that signs messages, with the time from which it does not, epoch milliseconds. Null: no end. */
export interface SigningSecret {
  readonly secret: string;
  readonly untilMs: number | null;
}

/** The part of a channel that its kind needs. */
export interface Target {
  /** Members that an administrator set; each may be a secret. */
  readonly settings: Readonly<Record<string, string>>;
  /** Secrets that sign now, the newest first. Empty for a kind that does not sign. */
  readonly secrets: readonly string[];
}

/** Result of an attempt. `retry`: it may succeed later. `refused`: the receiver will never take this message. */
export interface Outcome {
  readonly result: 'delivered' | 'retry' | 'refused';
  /** Status of the answer, if one came. */
  readonly status: number | null;
  /** Says what is wrong, for an administrator; null if nothing is. */
  readonly problem: string | null;
  /** Beginning of the answer, as it came. */
  readonly answer: string;
  /** The receiver asks for at least so long a pause. */
  readonly pauseMs?: number;
}

/** How to send: the checked way out, the time, and what ends an attempt. */
export interface Sending {
  readonly egress: Egress;
  /** Epoch milliseconds. */
  readonly nowMs: number;
  readonly signal: AbortSignal;
}

/** One kind of channel. `kinds.ts` lists all. */
export interface ChannelKind {
  /** Never rename one: settings name it. */
  readonly name: string;
  /** Says for whom it is, in one sentence. */
  readonly means: string;
  /** Members of a setting of this kind, all strings. OpenAPI shows them. */
  readonly members: Readonly<Record<string, TSchema>>;
  /** Members that must be there. */
  readonly required: readonly string[];
  /** Says what is wrong with the members, beyond their schemas; undefined if nothing is. */
  check(settings: Readonly<Record<string, string>>): string | undefined;
  /** Says where messages go, without a secret. */
  shown(settings: Readonly<Record<string, string>>): string;
  /** Whether messages are signed with secrets of the channel, which Rescind makes. */
  readonly signs: boolean;
  /** Messages on their way to one channel at the same time. */
  readonly atOnce: number;
  /** Sends a message once. Never rejects. */
  send(message: Message, target: Target, sending: Sending): Promise<Outcome>;
}
