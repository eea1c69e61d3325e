import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  CLOUDEVENTS_BATCH_MEDIA_TYPE,
  CLOUDEVENTS_MEDIA_TYPE,
  JSON_MEDIA_TYPE,
  MAX_EVENTS_PER_POST,
  MAX_POST_BYTES,
  NDJSON_MEDIA_TYPE,
  REJECT_CODES,
  RescindError,
  SECURITY_EVENT_MEDIA_TYPE,
  SIGNED_BATCH_MEDIA_TYPE,
  type IntakeResult,
  type RejectCode,
} from '../../contracts/index.js';
import type { Caller, ControlFollower, Source } from '../../control/index.js';
import { accept, isMediaType, type Arrived, type Rejected } from '../accept/accept.js';
import type { Appender } from '../append/appender.pg.js';
import { mediaTypeProblem } from '../accept/http-binary.js';
import type { RuleQuota } from '../append/rule-quota.js';
import { sliceElements, sliceLines } from './slices.js';
import { MAX_BATCH_OF_ONE } from '../append/next-batch.js';
import type { Judged, Outcome, Refusal } from '../append/submission.js';
import { warningsOf } from '../accept/warnings.js';
import { portionsOf } from '../append/weight.js';
import type { SignatureChecks } from '../signed/signature-checks.js';

/** Events that are judged before other work has its turn: some milliseconds. */
const JUDGED_IN_A_TURN = 16;

export interface Intake {
  /**
   * Takes the body of `POST /events`. Resolves when every event of it is durable or refused, with the results in the order of the events.
   * Throws `unsupported-media-type`, `too-large`, `forbidden`, `too-many-rules`, `overloaded` or `keys-unavailable` for the whole request. A body
   * that cannot be cut into events counts as one refused event: quarantined, and counted.
   */
  take(request: Taken): Promise<IntakeAnswer>;
}

export interface Taken {
  readonly contentType: string | undefined;
  /** Attributes of an event in binary mode. Undefined if the body holds whole events. */
  readonly binary?: Arrived['headers'] | undefined;
  readonly body: Buffer;
  readonly caller: Caller;
}

export type IntakeAnswer = { readonly single: IntakeResult } | { readonly batch: readonly IntakeResult[] };

export interface IntakeOptions {
  readonly follower: ControlFollower;
  readonly appender: Appender;
  readonly ruleQuota: RuleQuota;
  readonly signatures: SignatureChecks;
  readonly now?: () => number;
}

export function createIntake({ follower, appender, ruleQuota, signatures, now = Date.now }: IntakeOptions): Intake {
  /** Takes a body apart, and checks what is signed of it. */
  async function takeApart({ contentType, binary, body, caller }: Taken): Promise<Apart> {
    const headers: Arrived['headers'] = binary ?? [['content-type', Buffer.from(contentType ?? '')]];
    const door = { kind: 'http', caller } as const;
    const refuse = (refusal: Refusal, mode: Arrived['mode'], source?: Source): Apart => ({
      single: true,
      arrived: [],
      refused: { accepted: false, ...refusal, source, arrived: { mode, headers, bytes: body, door } },
    });
    if (!binary && isMediaType(contentType ?? '', SIGNED_BATCH_MEDIA_TYPE)) {
      const { events, refused } = await signatures.openBatch(body, door);
      if (refused) return refuse({ code: refused.code, detail: refused.detail }, 'batch', refused.source);
      return { single: false, arrived: events };
    }
    const { single, mode, slices, refused } = binary ? inBinaryMode(body) : cut(contentType ?? '', body);
    if (refused) return refuse(refused, mode);
    const arrived = slices.map((bytes): Arrived => ({ mode, headers, bytes, door }));
    return { single, arrived: mode === 'set' ? [await signatures.checkSet(arrived[0]!)] : arrived };
  }

  /** Judges and seals up to a thousand events and lets other work of the process run in between. */
  async function judgeInTurns(arrived: readonly Arrived[]): Promise<Judged[]> {
    const nowMs = now();
    const events: Judged[] = [];
    for (const [nth, one] of arrived.entries()) {
      if (nth > 0 && nth % JUDGED_IN_A_TURN === 0) await nextTurn();
      const judged = accept(one, follower.state, nowMs);
      appender.prepare(judged);
      events.push(judged);
    }
    return events;
  }

  function withWarnings(result: IntakeResult, judged: Judged): IntakeResult {
    if ('error' in result || !judged.accepted) return result;
    const warnings = warningsOf(judged);
    return warnings.length === 0 ? result : { ...result, warnings };
  }

  return {
    async take({ contentType, binary, body, caller }) {
      if (!caller.roles.emit) throw new RescindError('forbidden', { detail: 'the caller needs the role `emit`' });
      if (body.length > MAX_POST_BYTES)
        throw new RescindError('too-large', { detail: `at most ${MAX_POST_BYTES} bytes a request` });
      const { single, arrived, refused } = await takeApart({ contentType, binary, body, caller });
      if (arrived.length > MAX_EVENTS_PER_POST)
        throw new RescindError('too-large', { detail: `at most ${MAX_EVENTS_PER_POST} events a request` });
      const events: readonly Judged[] = refused ? [refused] : await judgeInTurns(arrived);
      ruleQuota.admit(events);
      // Usually one portion: only events that grant many rights are written in several transactions.
      const portions = portionsOf(events, MAX_BATCH_OF_ONE);
      const outcomes = (await Promise.all(portions.map((portion) => appender.submit({ events: portion })))).flat();
      const results = outcomes.map((outcome, nth) => withWarnings(resultOf(outcome), events[nth]!));
      return single ? { single: results[0]! } : { batch: results };
    },
  };
}

/** The events of a body as they came. `refused`: the body is refused as a whole. */
interface Apart {
  readonly single: boolean;
  readonly arrived: readonly Arrived[];
  readonly refused?: Rejected;
}

interface Cut {
  readonly single: boolean;
  readonly mode: Arrived['mode'];
  readonly slices: readonly Buffer[];
  readonly refused?: Refusal;
}

const inBinaryMode = (data: Buffer): Cut => ({ single: true, mode: 'binary', slices: [data] });

function cut(contentType: string, body: Buffer): Cut {
  const is = (mediaType: string): boolean => isMediaType(contentType, mediaType);
  if (is(NDJSON_MEDIA_TYPE)) return { single: false, mode: 'ndjson', slices: sliceLines(body) };
  if (is(SECURITY_EVENT_MEDIA_TYPE)) return { single: true, mode: 'set', slices: [body] };
  if (!is(CLOUDEVENTS_MEDIA_TYPE) && !is(CLOUDEVENTS_BATCH_MEDIA_TYPE) && !is(JSON_MEDIA_TYPE)) {
    throw new RescindError('unsupported-media-type', {
      detail: mediaTypeProblem(contentType, {}) ?? 'the body must carry events; see the content types in /openapi.json',
    });
  }
  if (is(CLOUDEVENTS_MEDIA_TYPE)) return { single: true, mode: 'structured', slices: [body] };
  // Elements are read strictly one by one. The whole body is parsed only to find where they begin and end.
  const isBatch = is(CLOUDEVENTS_BATCH_MEDIA_TYPE);
  try {
    if (Array.isArray(JSON.parse(utf8.decode(body))))
      return { single: false, mode: 'batch', slices: sliceElements(body) };
    if (isBatch) return refuseWhole('malformed-json', 'a batch is a JSON array');
    return { single: true, mode: 'structured', slices: [body] };
  } catch (error) {
    const code = error instanceof SyntaxError ? 'malformed-json' : 'invalid-utf8';
    return refuseWhole(code, REJECT_CODES[code]);
  }
}

const refuseWhole = (code: RejectCode, detail: string): Cut => ({
  single: true,
  mode: 'structured',
  slices: [],
  refused: { code, detail },
});

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function resultOf(outcome: Outcome): IntakeResult {
  switch (outcome.state) {
    case 'sequenced':
      return { index: String(outcome.index), state: 'sequenced' };
    case 'duplicate':
      return { duplicate: true, index: String(outcome.index) };
    case 'rejected':
      return { error: outcome.code, detail: outcome.detail };
    default:
      return outcome satisfies never;
  }
}
