import { createKeyPool, KEY_WORDS, type KeyPool } from './key-pool.js';
import { idWords, isUuid, uuidOf } from './rule-id.js';
import { selectorHash } from './selector-hash.js';
import { MAX_SELECTOR_MEMBERS } from '../../contracts/index.js';
import { namesIdentity } from '../selector.js';
import type { NewRule, Rule, Terms } from '../rule.js';

const FIRST_CAPACITY = 64;
/** Rules in one piece of a dump. */
const RULES_A_PIECE = 16_384;
const MAX_WORD = 0xffff_ffff;

// Columns of a rule's row, in 32-bit words. The two doubles (SEQ, ORIGIN_AT) start at even positions.
const ID = 0;
const SEQ = 4;
const ORIGIN_AT = 6;
const FLAGS = 8;
const BEFORE = 9;
const UNTIL = 10;
const SPEAKER = 11;
const HASH = 12;
const KEY_AT = 13;
const ROW_WORDS = 14;

// The flags column: the low 16 bits are the shape, one bit a dimension; the flags are above them.
const SHAPE_BITS = 0xffff;
const LIVE = 1 << 16;
const BLOCK = 1 << 17;
const AS_OF_ORDER = 1 << 18;
const REAUTHENTICATE = 1 << 19;
const RESUME = 1 << 20;
const ENDS = 1 << 21;
const HAS_ORIGIN = 1 << 22;
const ONE_OF_SEVERAL = 1 << 23;

/** Stores rules in typed arrays, in no order: 56 bytes a rule and 16 a member. An object with its strings would take several hundred. */
export interface RuleColumns {
  readonly size: number;
  /** Number of slots that fit before the arrays grow. */
  readonly capacity: number;
  /** One more than the highest slot ever used. */
  readonly end: number;
  add(rule: NewRule): number;
  free(slot: number): void;
  isLive(slot: number): boolean;
  shape(slot: number): number;
  hash(slot: number): number;
  read(slot: number): Rule;
  id(slot: number): string;
  /** Returns the same object for all slots: valid until the next call. */
  terms(slot: number): Terms;
  idWord(slot: number, nth: number): number;
  /** Returns the nth word of the selector key: the members' keys, one after the other in dimension order. */
  keyWord(slot: number, nth: number): number;
  /** Copies all rules, in pieces that `load` reads on any machine of the same byte order. */
  dump(): Buffer[];
  load(piece: Buffer): void;
}

export function createRuleColumns(): RuleColumns {
  let words = new Uint32Array(FIRST_CAPACITY * ROW_WORDS);
  let doubles = new Float64Array(words.buffer);
  let end = 0;
  const freed: number[] = [];
  const pools = Array.from({ length: MAX_SELECTOR_MEMBERS + 1 }, (_, members) => createKeyPool(members));
  /** Ids that are not UUIDs, by slot. */
  const oddIds = new Map<number, string>();
  const held = {} as { -readonly [Name in keyof Terms]: Terms[Name] } & { resume: boolean; seq: number };

  const word = (slot: number, column: number): number => words[slot * ROW_WORDS + column]!;
  const double = (slot: number, column: number): number => doubles[(slot * ROW_WORDS + column) / 2]!;
  const shape = (slot: number): number => word(slot, FLAGS) & SHAPE_BITS;
  const isLive = (slot: number): boolean => (word(slot, FLAGS) & LIVE) !== 0;
  const poolOf = (slot: number): KeyPool => pools[memberCount(shape(slot))]!;

  function reserve(slots: number): void {
    let capacity = words.length / ROW_WORDS;
    if (slots <= capacity) return;
    while (capacity < slots) capacity *= 2;
    const grown = new Uint32Array(capacity * ROW_WORDS);
    grown.set(words);
    words = grown;
    doubles = new Float64Array(words.buffer);
  }

  function takeSlot(): number {
    const slot = freed.pop();
    if (slot !== undefined) return slot;
    reserve(end + 1);
    return end++;
  }

  function id(slot: number): string {
    const at = slot * ROW_WORDS + ID;
    return oddIds.get(slot) ?? uuidOf(words.slice(at, at + KEY_WORDS));
  }

  function terms(slot: number): Terms {
    const flags = word(slot, FLAGS);
    held.seq = double(slot, SEQ);
    held.effect = flags & BLOCK ? 'block' : 'revoke';
    held.byIdentity = namesIdentity(flags & SHAPE_BITS);
    held.before = word(slot, BEFORE);
    held.asOfOrder = (flags & AS_OF_ORDER) !== 0;
    held.reauthenticate = (flags & REAUTHENTICATE) !== 0;
    held.until = flags & ENDS ? word(slot, UNTIL) : undefined;
    held.resume = (flags & RESUME) !== 0;
    return held;
  }

  function dumpSlots(slots: readonly number[]): Buffer {
    const members = slots.reduce((sum, slot) => sum + memberCount(shape(slot)), 0);
    const out = new Uint32Array(2 + slots.length * ROW_WORDS + members * KEY_WORDS);
    out[0] = slots.length;
    out[1] = out.length;
    let at = 2;
    for (const slot of slots) {
      for (let column = 0; column < ROW_WORDS; column++) out[at++] = words[slot * ROW_WORDS + column]!;
      poolOf(slot).copyTo(word(slot, KEY_AT), out, at);
      at += memberCount(shape(slot)) * KEY_WORDS;
    }
    const odd = slots.flatMap((slot, nth) => (oddIds.has(slot) ? [[nth, oddIds.get(slot)!]] : []));
    return Buffer.concat([new Uint8Array(out.buffer), Buffer.from(JSON.stringify(odd))]);
  }

  return {
    get size() {
      return end - freed.length;
    },
    get capacity() {
      return words.length / ROW_WORDS;
    },
    get end() {
      return end;
    },
    add(rule) {
      refuseMalformed(rule);
      const { selector, until, origin } = rule;
      const slot = takeSlot();
      const row = slot * ROW_WORDS;
      if (!isUuid(rule.id)) oddIds.set(slot, rule.id);
      words.set(idWords(rule.id), row + ID);
      doubles[(row + SEQ) / 2] = Number(rule.seq);
      doubles[(row + ORIGIN_AT) / 2] = origin?.at ?? 0;
      words[row + BEFORE] = rule.before;
      words[row + UNTIL] = until ?? 0;
      words[row + SPEAKER] = origin?.speaker ?? 0;
      words[row + HASH] = selectorHash(selector);
      words[row + KEY_AT] = pools[memberCount(selector.shape)]!.add(selector.key);
      words[row + FLAGS] = flagsOf(rule);
      return slot;
    },
    free(slot) {
      poolOf(slot).free(word(slot, KEY_AT));
      oddIds.delete(slot);
      words[slot * ROW_WORDS + FLAGS] = 0;
      freed.push(slot);
    },
    isLive,
    shape,
    hash: (slot) => word(slot, HASH),
    read(slot) {
      const { effect, byIdentity, before, asOfOrder, reauthenticate, until, resume } = terms(slot);
      const hasOrigin = (word(slot, FLAGS) & HAS_ORIGIN) !== 0;
      return {
        id: id(slot),
        seq: BigInt(double(slot, SEQ)),
        selector: { shape: shape(slot), key: poolOf(slot).text(word(slot, KEY_AT)) },
        effect,
        byIdentity,
        before,
        asOfOrder,
        reauthenticate,
        ...(until === undefined ? {} : { until }),
        ...(resume ? { resume } : {}),
        ...((word(slot, FLAGS) & ONE_OF_SEVERAL) !== 0 ? { isOneOfSeveral: true } : {}),
        ...(hasOrigin ? { origin: { speaker: word(slot, SPEAKER), at: double(slot, ORIGIN_AT) } } : {}),
      };
    },
    id,
    terms,
    idWord: (slot, nth) => word(slot, ID + nth),
    keyWord: (slot, nth) => poolOf(slot).word(word(slot, KEY_AT), nth),
    dump: () => piecesOf(end, isLive).map(dumpSlots),
    load(piece) {
      const count = piece.readUInt32LE(0);
      const read = new Uint32Array(piece.readUInt32LE(4));
      piece.copy(new Uint8Array(read.buffer), 0, 0, read.byteLength);
      reserve(end + count);
      const first = end;
      for (let at = 2; at < read.length; end++) {
        for (let column = 0; column < ROW_WORDS; column++) words[end * ROW_WORDS + column] = read[at++]!;
        words[end * ROW_WORDS + KEY_AT] = poolOf(end).copyFrom(read, at);
        at += memberCount(shape(end)) * KEY_WORDS;
      }
      const odd = JSON.parse(piece.toString('utf8', read.byteLength)) as [number, string][];
      for (const [nth, text] of odd) oddIds.set(first + nth, text);
    },
  };
}

/** Lists the slots of rules, those of each piece of a dump in a list. */
function piecesOf(end: number, isLive: (slot: number) => boolean): number[][] {
  const pieces: number[][] = [];
  for (let slot = 0; slot < end; slot++) {
    if (!isLive(slot)) continue;
    if (pieces.length === 0 || pieces.at(-1)!.length === RULES_A_PIECE) pieces.push([]);
    pieces.at(-1)!.push(slot);
  }
  return pieces;
}

const flagsOf = ({
  selector,
  effect,
  asOfOrder,
  reauthenticate,
  resume,
  until,
  origin,
  isOneOfSeveral,
}: NewRule): number =>
  selector.shape |
  LIVE |
  (effect === 'block' ? BLOCK : 0) |
  (asOfOrder ? AS_OF_ORDER : 0) |
  (reauthenticate ? REAUTHENTICATE : 0) |
  (resume === true ? RESUME : 0) |
  (until === undefined ? 0 : ENDS) |
  (origin === undefined ? 0 : HAS_ORIGIN) |
  (isOneOfSeveral === true ? ONE_OF_SEVERAL : 0);

/** Throws RangeError for a rule that does not fit a row: a truncated time would select something else than was ordered. */
function refuseMalformed({ id, seq, selector, before, until = 0, origin }: NewRule): void {
  const isWord = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= MAX_WORD;
  if (![before, until, origin?.speaker ?? 0].every(isWord))
    throw new RangeError(`a time of rule ${id} is not whole seconds since 1970`);
  if (seq > Number.MAX_SAFE_INTEGER) throw new RangeError(`the seq of rule ${id} is too large`);
  const members = memberCount(selector.shape);
  if (members > MAX_SELECTOR_MEMBERS || selector.key.length !== members * 4 * KEY_WORDS)
    throw new RangeError(`the selector of rule ${id} is malformed`);
}

function memberCount(shape: number): number {
  let members = 0;
  for (let rest = shape; rest !== 0; rest &= rest - 1) members++;
  return members;
}
