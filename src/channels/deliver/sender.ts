import type { FindingItem } from '../../findings/index.js';
import type { Egress } from '../../platform/egress/index.js';
import type { Message, Outcome, SigningSecret, Told } from '../channel.js';
import { channelKind } from '../kinds.js';

/** A channel as its row has it. */
export interface Addressed {
  readonly kind: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly secrets: readonly SigningSecret[];
}

export interface ToTell {
  readonly id: string;
  readonly told: Told;
  readonly atMs: number;
  readonly finding: FindingItem;
}

/** Sends one message once. Never rejects. */
export type Sender = (channel: Addressed, told: ToTell, signal: AbortSignal) => Promise<Outcome>;

export interface SenderOptions {
  readonly egress: Egress;
  /** Address under which people reach this deployment. Undefined: messages have no link. */
  readonly publicUrl: string | undefined;
  /** Returns the current time in epoch milliseconds. */
  readonly now?: () => number;
}

export function createSender({ egress, publicUrl, now = Date.now }: SenderOptions): Sender {
  return async (channel, { id, told, atMs, finding }, signal) => {
    const kind = channelKind(channel.kind);
    if (kind === undefined) return failed(`this version knows no kind ${channel.kind}`);
    const nowMs = now();
    const message: Message = {
      id,
      told,
      at: new Date(atMs).toISOString(),
      finding,
      link: publicUrl === undefined ? null : `${publicUrl}/v1/findings/${finding.id}`,
    };
    const secrets = channel.secrets.filter(({ untilMs }) => untilMs === null || untilMs > nowMs);
    try {
      const target = { settings: channel.settings, secrets: secrets.map(({ secret }) => secret) };
      return await kind.send(message, target, { egress, nowMs, signal });
    } catch {
      // The message of such an error may hold an address.
      return failed('the message could not be made');
    }
  };
}

const failed = (problem: string): Outcome => ({ result: 'retry', status: null, problem, answer: '' });

/** Names a delivery for its receiver: the same in each attempt, and another for each channel and news. */
export const messageId = (channel: string, seq: bigint | string): string => `msg_${channel.replaceAll('-', '')}_${seq}`;
