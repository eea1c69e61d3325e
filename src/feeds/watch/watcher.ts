import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { instantText } from '../../contracts/index.js';
import type { ControlRecord, Seq } from '../../control/index.js';
import type { Log } from '../../platform/log/index.js';
import { frame } from '../sse/frames.js';
import type { OpenStream } from '../sse/streams.js';
import type { NewsOfFindings } from '../findings-news.js';
import { coverageOf, isRuleNews, ruleOf, saysOf, type RuleNews } from './events.js';
import { idOf, type Position } from './position.js';
import type { Coming, Progress, Step } from './progress.js';

/** Records of one read. */
const RULES_AT_ONCE = 200;
/** Bytes that may wait for a reader before nothing more is read for it. */
const MAX_WAITING_BYTES = 256 * 1024;
/** A reader that takes longer to read them is too slow. */
const SLOW_AFTER_MS = 30_000;
/** Guards may be told after the record is in force, because they are told on another way than their node. */
const GUARDS_FOLLOW_MS = 2_000;
const RETRY_MS = 1_000;

export interface WatcherOptions {
  readonly stream: OpenStream;
  /** Whether the reader may see payloads. */
  readonly seesPayloads: boolean;
  readonly from: Position;
  /** Seq up to which every record of the tenant was in force when the stream began. */
  readonly inForceUpTo: Seq;
  /** Seq of the tenant's last news when the stream began. */
  readonly lastNews: bigint;
  readonly head: () => Seq;
  readonly readRules: (tenant: string, after: Seq, upTo: Seq, limit: number) => Promise<readonly ControlRecord[]>;
  readonly findings: NewsOfFindings;
  readonly progress: Progress;
  readonly nodes: () => number | undefined;
  readonly isOpen: () => boolean;
  readonly write: (text: string) => void;
  /** Ends the stream because its reader does not read. */
  readonly endSlow: () => void;
  readonly log: Log;
  readonly slowAfterMs?: number;
}

/** One reader of the stream. It reads what comes at the pace of its reader, so that nothing piles up in memory. */
export interface Watcher {
  readonly position: Position;
  /** Makes it look for more. `last`: seq of the tenant's last news. */
  wake(last?: bigint): void;
  /** Resolves when the stream has ended. */
  run(): Promise<void>;
}

/** A record that was told and has steps to be told. */
interface Following {
  readonly record: RuleNews;
  readonly coming: Coming;
  /** Number of its steps that were told. */
  told: number;
  /** When it was told that the record is in force, on the monotonic clock. */
  inForceAt: number | undefined;
}

export function createWatcher(options: WatcherOptions): Watcher {
  const { stream, inForceUpTo, head, readRules, findings, progress, nodes, isOpen, write, endSlow, log } = options;
  const { tenant, res } = stream;
  let { seq, news } = options.from;
  let following: Following[] = [];
  let wakeUp: () => void = () => undefined;
  let isWoken = false;
  let { lastNews } = options;

  /** Goes back to before the first record that is not in force: a reader that goes on there is told its steps again, and misses none. */
  function position(): Position {
    const first = following.find(({ inForceAt }) => inForceAt === undefined)?.record.seq;
    return { seq: first === undefined ? seq : ((first - 1n) as Seq), news };
  }

  const say = (event: string, data: object): void => write(frame(event, idOf(position()), data));

  async function tellRules(): Promise<boolean> {
    const upTo = head();
    if (seq >= upTo) return false;
    const records = await readRules(tenant, seq, upTo, RULES_AT_ONCE);
    for (const record of records) {
      seq = record.seq;
      if (isRuleNews(record)) tellRule(record);
      await hasRead(res, options.slowAfterMs ?? SLOW_AFTER_MS, endSlow);
      if (!isOpen()) return false;
    }
    if (records.length === RULES_AT_ONCE) return true;
    seq = upTo;
    return records.length > 0;
  }

  function tellRule(record: RuleNews): void {
    const known = progress.find(tenant, record.seq);
    const isOld = known === undefined && record.seq <= inForceUpTo;
    if (!isOld)
      following.push({
        record,
        coming: known ?? progress.follow(tenant, record, { isTimed: false }),
        told: 0,
        inForceAt: undefined,
      });
    const count = nodes();
    say('rule', { ...saysOf(record), ...(isOld || count === undefined ? {} : { nodes: count }) });
    if (isOld) say('rule', stepSaid(record, { what: 'in-force' }));
  }

  function tellSteps(): boolean {
    let isBusy = false;
    const now = performance.now();
    for (const one of following) {
      const { record, coming } = one;
      for (; one.told < coming.steps.length; one.told++) {
        isBusy = true;
        const step = coming.steps[one.told]!;
        if (step.what === 'in-force') one.inForceAt ??= now;
        say('rule', stepSaid(record, step));
      }
    }
    following = following.filter(({ inForceAt }) => inForceAt === undefined || now < inForceAt + GUARDS_FOLLOW_MS);
    return isBusy;
  }

  async function tellFindings(): Promise<boolean> {
    if (news >= lastNews) return false;
    const upTo = lastNews;
    const { news: found, missed: deleted } = await findings.read(tenant, news);
    const missed = found.length === 0 ? upTo - news : deleted;
    if (missed > 0n) {
      news += missed;
      say('gap', { of: 'findings', why: 'deleted', missed: Number(missed) });
    }
    for (const one of found) {
      const finding = await findings.show(tenant, one.finding, { payloads: options.seesPayloads });
      const coverage = coverageOf(one, finding);
      const at = instantText(one.atMs);
      if (coverage !== undefined) say('coverage', { ...coverage, at });
      news = one.seq;
      say('finding', { what: one.what, seq: String(one.seq), at, id: one.finding, finding: finding ?? null });
      await hasRead(res, options.slowAfterMs ?? SLOW_AFTER_MS, endSlow);
      if (!isOpen()) return false;
    }
    return found.length > 0;
  }

  async function look(): Promise<void> {
    for (let isBusy = true; isBusy && isOpen(); ) {
      isBusy = await tellRules();
      isBusy = tellSteps() || isBusy;
      isBusy = (await tellFindings()) || isBusy;
    }
  }

  return {
    get position() {
      return position();
    },
    wake(last = lastNews) {
      lastNews = last;
      isWoken = true;
      wakeUp();
    },
    async run() {
      res.once('close', () => wakeUp());
      while (isOpen()) {
        const woken = new Promise<void>((resolve) => {
          wakeUp = resolve;
        });
        isWoken = false;
        try {
          await look();
        } catch (err) {
          if (!isOpen()) return;
          log.warn({ err }, 'cannot read what comes for a reader of the stream; retrying');
          await Promise.race([delay(RETRY_MS, undefined, { ref: false }), woken]);
          isWoken = true;
        }
        if (!isWoken && isOpen()) await woken;
      }
    },
  };
}

function stepSaid(record: RuleNews, { what, ...rest }: Step): object {
  const rule = ruleOf(record);
  return { what, ...(rule === undefined ? {} : { rule }), seq: String(record.seq), ...rest };
}

/** Resolves when the reader has read enough for more to be written, or when it is gone or too slow. */
function hasRead(res: ServerResponse, slowAfterMs: number, endSlow: () => void): Promise<void> {
  if (res.writableLength <= MAX_WAITING_BYTES || res.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      res.off('drain', end).off('close', end);
      resolve();
    };
    const timer = setTimeout(() => {
      endSlow();
      end();
    }, slowAfterMs);
    res.once('drain', end).once('close', end);
  });
}
