import { setTimeout as delay } from 'node:timers/promises';
import type { Producer } from 'kafkajs';
import { toKafkaMessage } from '../../../src/emit/index.js';
import { EVENTS_PATH, type Caller } from './calls.js';
import { hostClock } from './history.js';
import type { Population } from './population.js';
import type { Random } from './random.js';
import type { Minted, Universe } from './universe.js';

/** Live tokens that a run keeps up, made in batches of so many. */
const LIVE = 600;
const BATCH = 50;
const REPLENISH_EVERY_MS = 400;
/** Fresh ones also where nothing died, each time. */
const FRESH = 4;
/** Percentage of tokens that come from another token, and the largest number of hops. */
const HOPS_PERCENT = 25;
const MAX_HOPS = 2;

const KAFKA_EVERY_MS = 400;
/** Time after which a token whose events were sent through Kafka is given up. */
const KAFKA_TIMEOUT_MS = 15_000;
const ASK_AGAIN_MS = 200;

export interface MintingOptions {
  readonly universe: Universe;
  readonly population: Population;
  readonly caller: Caller;
  readonly random: Random;
  readonly authorization: string;
  readonly ended: AbortSignal;
}

export interface Minting {
  /** Records it, and resolves when it is durable; undefined when the run ends first. */
  record(minted: Minted): Promise<number | undefined>;
  fill(): Promise<void>;
  /** Replaces what died until the run ends. */
  replenish(): Promise<void>;
  /** Records some through Kafka until the run ends. */
  viaKafka(options: ViaKafkaOptions): Promise<void>;
  /** Number of tokens recorded through Kafka that were asked about. */
  readonly viaKafkaCount: number;
}

export interface ViaKafkaOptions {
  readonly producer: Pick<Producer, 'send'>;
  readonly topicOf: (source: string) => string;
  /** Whether some node tells of it and of its ID-JAG, which come by topics of their own: who reads one may not have read the other. */
  readonly isRecorded: (minted: Minted) => Promise<boolean>;
}

export function createMinting({ universe, population, caller, random, authorization, ended }: MintingOptions): Minting {
  let viaKafkaCount = 0;
  const hops = (minted: Minted | undefined): number => (minted ? 1 + hops(minted.parent) : 0);

  function mint(): Minted {
    const near = random.chance(HOPS_PERCENT) ? population.pickLive() : undefined;
    const parent = near === undefined ? undefined : population.minted(near);
    return universe.mint(hops(parent) <= MAX_HOPS ? parent : undefined);
  }

  async function recordAll(tokens: readonly Minted[]): Promise<number[]> {
    const began = hostClock();
    const body = JSON.stringify(tokens.flatMap(({ events }) => events.map(({ event }) => event)));
    const answer = await caller.untilAnswered({
      path: EVENTS_PATH,
      authorization,
      contentType: 'application/cloudevents-batch+json',
      body,
    });
    if (!answer) return [];
    const recorded = hostClock();
    const refused = (JSON.parse(answer.text) as readonly { index?: string }[]).find(({ index }) => index === undefined);
    if (refused) throw new Error(`an event was refused: ${JSON.stringify(refused)}`);
    return tokens.map((token) => population.join(token, began, recorded));
  }

  return {
    get viaKafkaCount() {
      return viaKafkaCount;
    },
    async record(minted) {
      return (await recordAll([minted]))[0];
    },
    async fill() {
      while (population.liveCount < LIVE && !ended.aborted) await recordAll(Array.from({ length: BATCH }, mint));
    },
    async replenish() {
      while (!ended.aborted) {
        const missing = Math.min(BATCH, Math.max(0, LIVE - population.liveCount));
        await recordAll(Array.from({ length: missing + FRESH }, mint));
        await delay(REPLENISH_EVERY_MS);
      }
    },
    async viaKafka({ producer, topicOf, isRecorded }) {
      while (!ended.aborted) {
        await delay(KAFKA_EVERY_MS);
        const minted = universe.mint();
        const began = hostClock();
        try {
          for (const { source, event } of minted.events)
            await producer.send({ topic: topicOf(source), messages: [toKafkaMessage(event, { mode: 'binary' })] });
        } catch {
          continue; // Kafka is away; what became of it nobody knows, so nobody asks about it.
        }
        while (hostClock() - began < KAFKA_TIMEOUT_MS && !ended.aborted) {
          if (await isRecorded(minted)) {
            population.join(minted, began, hostClock());
            viaKafkaCount += 1;
            break;
          }
          await delay(ASK_AGAIN_MS);
        }
      }
    },
  };
}
