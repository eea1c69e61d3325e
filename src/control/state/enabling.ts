import { createHash } from 'node:crypto';
import type { NewRule, RuleIndex, SelectorKeys } from '../../rules/index.js';
import { createNewestEnabling } from './newest-enabling.js';
import type { RuleOrigin } from '../log/records.js';

/** Weighs disabling and enabling events of one source on one selector, in any order of arrival: event time decides, and a tie blocks. */
export interface Enabling {
  /** Returns the rule that a disabling event orders: the block or, if a newer enabling is known, a `revoke` as of the disabling. */
  order(rule: NewRule, origin: RuleOrigin): NewRule;
  /** Turns each older block of the same speaker under the selectors into a `revoke` as of the enabling. */
  enable(rules: RuleIndex, selectors: SelectorKeys, origin: RuleOrigin): void;
  /** Returns the digests of all speakers, ordered by their number. The dump needs them. */
  speakers(): readonly string[];
  dump(): Buffer;
  loadSpeakers(speakers: readonly string[]): void;
  load(dumped: Buffer): void;
}

export function createEnabling(): Enabling {
  const newest = createNewestEnabling();
  const numbers = new Map<string, number>();

  /** Numbers the speaker: the source, or the source and the connection that its event is about. */
  function speakerOf({ source, subject }: RuleOrigin): number {
    const name = speakerName(JSON.stringify(subject === undefined ? [source] : [source, subject]));
    const number = numbers.get(name) ?? numbers.size;
    numbers.set(name, number);
    return number;
  }

  return {
    order(rule, origin) {
      const speaker = speakerOf(origin);
      if (newest.get(speaker, rule.selector) > origin.at) return asRevoke(rule, origin.at);
      return { ...rule, origin: { speaker, at: origin.at } };
    },
    enable(rules, { shape, keys }, origin) {
      const speaker = speakerOf(origin);
      for (const key of keys) {
        newest.raise(speaker, { shape, key }, origin.at);
        rules.amend({ shape, key }, (rule) => {
          const isOlder = rule.origin?.speaker === speaker && rule.origin.at < origin.at;
          return rule.effect === 'block' && isOlder ? asRevoke(rule, origin.at) : undefined;
        });
      }
    },
    speakers: () => [...numbers.keys()],
    dump: () => newest.dump(),
    loadSpeakers: (speakers) => speakers.forEach((name, number) => numbers.set(name, number)),
    load: (dumped) => newest.load(dumped),
  };
}

/** Digests a speaker to the first 22 characters of its SHA-256: speakers are kept for ever, and a connection's identity may take thousands of bytes. */
const speakerName = (said: string): string => createHash('sha256').update(said).digest('base64url').slice(0, 22);

const asRevoke = (rule: NewRule, eventTimeMs: number): NewRule => ({
  id: rule.id,
  seq: rule.seq,
  selector: rule.selector,
  isOneOfSeveral: rule.isOneOfSeveral,
  effect: 'revoke',
  before: Math.floor(eventTimeMs / 1000),
  asOfOrder: false,
  reauthenticate: false,
});
