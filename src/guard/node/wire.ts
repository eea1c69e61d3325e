import {
  DIMENSIONS,
  MAX_VALUES_PER_DIMENSION,
  ruleKeyFromBytes,
  ruleKeyToBytes,
  type RuleKey,
  type SelectorKey,
} from '../../rules/index.js';
import { INACTIVE, INACTIVE_RECORDED, type Answer, type TokenClaims } from '../answer.js';
import type { Interest, KeySets } from './interest.js';
import type { ServerSentEvent } from './server-sent-events.js';
import type { Judgement } from '../state.js';

/** An event of the feed: the part of a control record that a guard needs. */
export type FeedEvent =
  | { readonly kind: 'start'; readonly seq: bigint; readonly interest: Interest }
  | { readonly kind: 'reset'; readonly seq: bigint; readonly interest: Interest | undefined }
  | { readonly kind: 'rule'; readonly seq: bigint; readonly selector: SelectorKey }
  | { readonly kind: 'forget'; readonly seq: bigint; readonly all: boolean }
  | { readonly kind: 'seq'; readonly seq: bigint };

/**
 * Reads an event of the feed. Undefined if it cannot be read at all; then the stream cannot be followed. For an unknown kind of event, or a
 * rule that cannot be read, returns `forget`: everything judged before it must be judged again.
 */
export function readFeedEvent({ event, id, data }: ServerSentEvent): FeedEvent | undefined {
  const members = parseObject(data);
  if (event === 'start' || event === 'reset') {
    const seq = parseSeq(members?.['seq']) ?? parseSeq(id);
    const interest = readInterest(members?.['interest']);
    if (seq === undefined) return undefined;
    if (event === 'reset') return { kind: 'reset', seq, interest };
    return interest === undefined ? undefined : { kind: 'start', seq, interest };
  }
  const seq = parseSeq(id);
  if (seq === undefined) return undefined;
  if (event === 'seq') return { kind: 'seq', seq };
  if (event === 'rule') {
    const [shape, key] = [members?.['shape'], readBytes(members?.['key'])];
    return typeof shape === 'number' && key !== undefined
      ? { kind: 'rule', seq, selector: { shape, key } }
      : { kind: 'forget', seq, all: false };
  }
  return { kind: 'forget', seq, all: event === 'forget' && members?.['all'] === true };
}

/** Reads a node's answer about a token; undefined for any other body. Only the boolean `true` is a yes. */
export function readTokenAnswer(body: unknown): Answer | Judgement | undefined {
  if (!isRecord(body)) return undefined;
  if (body['active'] === false)
    return isRecord(body['rescind']) && body['rescind']['recorded'] === true ? INACTIVE_RECORDED : INACTIVE;
  if (body['active'] !== true) return undefined;
  const { active: _, rescind, ...claims } = body;
  const answer = deepFreeze({ state: 'active' as const, claims: claims as TokenClaims });
  return { answer, keep: readKeep(rescind) };
}

/** Reads a node's answer to a renewal: the grant in milliseconds, or undefined. */
export function readGrant(body: unknown): number | undefined {
  const grantMs = isRecord(body) ? body['grant_ms'] : undefined;
  return typeof grantMs === 'number' && Number.isFinite(grantMs) && grantMs >= 0 ? grantMs : undefined;
}

export function readErrorCode(body: unknown): string | undefined {
  return isRecord(body) && typeof body['error'] === 'string' ? body['error'] : undefined;
}

export const writeKey = (key: RuleKey): string => ruleKeyToBytes(key).toString('base64url');

export function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function readKeep(rescind: unknown): Judgement['keep'] {
  if (!isRecord(rescind)) return undefined;
  const [seq, keepMs, sets] = [parseSeq(rescind['seq']), rescind['keep_ms'], readSets(rescind['shape_sets'])];
  if (seq === undefined || sets === undefined || typeof keepMs !== 'number' || !(keepMs > 0)) return undefined;
  return { seq, keepMs, sets };
}

/** A different number of sets comes from another version: its rules could select by dimensions that this guard does not check. */
function readSets(value: unknown): KeySets | undefined {
  if (!Array.isArray(value) || value.length !== DIMENSIONS.length) return undefined;
  const sets: RuleKey[][] = [];
  for (const list of value as unknown[]) {
    if (!Array.isArray(list) || list.length > MAX_VALUES_PER_DIMENSION) return undefined;
    const keys = list.map(readKey);
    if (!keys.every((key) => key !== undefined)) return undefined;
    sets.push(keys);
  }
  return sets;
}

function readInterest(value: unknown): Interest | undefined {
  if (value === '*') return '*';
  if (!Array.isArray(value)) return undefined;
  const keys = value.map(readKey);
  return keys.every((key) => key !== undefined) ? new Set(keys) : undefined;
}

const KEY_LENGTH = 16;

function readKey(value: unknown): RuleKey | undefined {
  const key = readBytes(value);
  return key?.length === KEY_LENGTH ? (key as RuleKey) : undefined;
}

function readBytes(value: unknown): string | undefined {
  if (typeof value !== 'string' || !/^[A-Za-z0-9_-]*$/.test(value)) return undefined;
  return ruleKeyFromBytes(Buffer.from(value, 'base64url'));
}

function parseSeq(value: unknown): bigint | undefined {
  return typeof value === 'string' && /^\d{1,19}$/.test(value) ? BigInt(value) : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value))
    if (typeof inner === 'object' && inner !== null) deepFreeze(inner as object);
  return Object.freeze(value);
}
