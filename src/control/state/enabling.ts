import { createHash } from 'node:crypto';
import type { NewRule, RuleIndex, SelectorKeys } from '../../rules/index.js';
import { createNewestEnabling } from './newest-enabling.js';
import type { RuleOrigin } from '../log/records.js';

/** Disabling and enabling events of one source on one selector, in any order of arrival: event time decides, a tie blocks. */
export interface Enabling {
  /** The rule that a disabling event's block amounts to: after a newer enabling, a `revoke` as of the disabling. */
  order(rule: NewRule, origin: RuleOrigin): NewRule;
  /** Ends the older blocks of the same speaker under the selectors, each a `revoke` as of the enabling from now on. */
  enable(rules: RuleIndex, selectors: SelectorKeys, origin: RuleOrigin): void;
  /** Digests of those who have spoken, by number; goes with the dump. */
  speakers(): readonly string[];
  dump(): Buffer;
  loadSpeakers(speakers: readonly string[]): void;
  load(dumped: Buffer): void;
}

export function createEnabling(): Enabling {
  const newest = createNewestEnabling();
  const numbers = new Map<string, number>();

  /** A small number for a source, or for a source and the connection it speaks of. */
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

/** Speakers are kept for ever, so a connection's identity of some thousand bytes is kept as the first half of its SHA-256. */
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
