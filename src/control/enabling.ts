import type { NewRule, RuleIndex, SelectorKey } from '../rules/index.js';
import { createNewestEnabling } from './newest-enabling.js';
import type { RuleOrigin } from './records.js';

/** Disabling and enabling events of one source on one selector, in any order of arrival: event time decides, a tie blocks. */
export interface Enabling {
  /** The rule that a disabling event's block amounts to: after a newer enabling, a `revoke` as of the disabling. */
  order(rule: NewRule, origin: RuleOrigin): NewRule;
  /** Ends the older blocks of the same speaker under the selector, each a `revoke` as of the enabling from now on. */
  enable(rules: RuleIndex, selector: SelectorKey, origin: RuleOrigin): void;
  /** Who has spoken, by number; goes with the dump. */
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
    const name = JSON.stringify(subject === undefined ? [source] : [source, subject]);
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
    enable(rules, selector, origin) {
      const speaker = speakerOf(origin);
      newest.raise(speaker, selector, origin.at);
      for (const rule of rules.under(selector)) {
        const isOlder = rule.origin?.speaker === speaker && rule.origin.at < origin.at;
        if (rule.effect === 'block' && isOlder) rules.put(asRevoke(rule, origin.at));
      }
    },
    speakers: () => [...numbers.keys()],
    dump: () => newest.dump(),
    loadSpeakers: (speakers) => speakers.forEach((name, number) => numbers.set(name, number)),
    load: (dumped) => newest.load(dumped),
  };
}

const asRevoke = (rule: NewRule, eventTimeMs: number): NewRule => ({
  id: rule.id,
  seq: rule.seq,
  selector: rule.selector,
  effect: 'revoke',
  before: Math.floor(eventTimeMs / 1000),
  asOfOrder: false,
  reauthenticate: false,
});
