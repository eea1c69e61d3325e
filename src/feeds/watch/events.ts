import { instantText, timeText } from '../../contracts/index.js';
import type { ControlRecord } from '../../control/index.js';
import type { FindingNews, TellableFinding } from '../findings-news.js';

/** Records of the control log that are told to people who watch. */
export type RuleNews = Extract<ControlRecord, { readonly kind: 'rule.ordered' | 'rule.lifted' | 'subject.enabled' }>;

export const isRuleNews = (record: ControlRecord): record is RuleNews =>
  record.kind === 'rule.ordered' || record.kind === 'rule.lifted' || record.kind === 'subject.enabled';

/** Identifies the rule that a record is about; undefined for an enabling, which ends whatever blocks its source has on the subject. */
export const ruleOf = ({ kind, body }: RuleNews): string | undefined =>
  kind === 'rule.ordered' ? body.id : kind === 'rule.lifted' ? body.rule : undefined;

/** Says what a record orders, lifts or ends, in the words of `GET /v1/revocations`. */
export function saysOf(record: RuleNews): object {
  const told = { seq: String(record.seq), at: instantText(record.at) };
  switch (record.kind) {
    case 'rule.ordered': {
      const { id, effect, selector, or, before, until, resume, reauthenticate, reason, author, origin } = record.body;
      return {
        what: 'ordered',
        rule: id,
        ...told,
        effect,
        selector,
        ...(or === undefined ? {} : { or }),
        ...(before === undefined ? {} : { before: timeText(before) }),
        ...(until === undefined ? {} : { until: timeText(until) }),
        ...(resume ? { resume } : {}),
        reauthenticate,
        reason,
        author,
        ...(origin === undefined ? {} : { origin: { ...origin, at: instantText(origin.at) } }),
        ...(record.body.after_lift_of === undefined ? {} : { after_lift_of: record.body.after_lift_of }),
      };
    }
    case 'rule.lifted': {
      const { rule, resume, reason, author } = record.body;
      return { what: 'lifted', rule, ...told, resume, reason, author };
    }
    case 'subject.enabled': {
      const { origin } = record.body;
      return { what: 'enabled', ...told, origin: { ...origin, at: instantText(origin.at) } };
    }
  }
}

/** Kind of the findings that say that Rescind does not hear all that a source has to say. */
const COVERAGE_KIND = 'source-trouble';

/** Says how the coverage of a source changed with a finding; undefined if it did not. */
export function coverageOf({ what }: FindingNews, finding: TellableFinding | undefined): object | undefined {
  if (finding?.kind !== COVERAGE_KIND || what === 'state-changed') return undefined;
  const { source, says, details } = finding;
  return { what: what === 'resolved' ? 'ended' : 'trouble', how: details['how'], source, says };
}
