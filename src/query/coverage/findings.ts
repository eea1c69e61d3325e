import { FINDING_CODES, type CoverageItem, type Finding } from './answers.js';
import type { LineageProfile } from '../ask/reader.js';

/** Seconds without an event after which a source counts as silent. */
export const SILENT_AFTER_S = 86_400;

/** Lists what the team does not see of a source, and why. A disabled source has no findings: nobody waits for it. */
export function findingsOf(item: CoverageItem, lineage: LineageProfile, at: number): readonly Finding[] {
  if (item.disabled) return [];
  const { source, last, sequence, refused, tokens, uses, clock } = item;
  const silentS = last === null ? 0 : at - Math.floor(Date.parse(last.arrival) / 1000);
  const found: Finding[] = [];
  const find = (code: Finding['code'], says: string): number =>
    found.push({ code, source, says: `${source.name}: ${says}` });

  if (last === null) find('never-heard', 'registered, but no event has come');
  else if (silentS >= SILENT_AFTER_S) find('silent-for', `the last event came ${spanOf(silentS)} ago`);
  if (sequence !== null && sequence.missing + sequence.given_up > 0) {
    const { missing, given_up, first } = sequence;
    find(
      'gaps',
      `${events(missing + given_up)} numbered since ${first} never came${given_up > 0 ? `, ${given_up} of them no longer waited for` : ''}`,
    );
  }
  const refusals = refused.reduce((sum, { count }) => sum + count, 0);
  if (refusals > 0)
    find(
      'refusals',
      `${refused.some(({ at_least: cut }) => cut) ? 'at least ' : ''}${events(refusals)} refused within 24 h, most of them ${refused[0]!.code}`,
    );
  const unconfirmed = lineage.id_jag === 'confirmed' ? tokens.id_jag_stated : 0;
  const bare = (lineage.other === 'none' ? 0 : tokens.none) + unconfirmed;
  if (bare > 0) {
    const what = unconfirmed > 0 ? 'an ID-JAG that the IdP confirmed' : 'an ID-JAG or a parent token';
    find('tokens-without-lineage', `${bare} of ${tokens.issued} tokens without ${what}`);
  }
  if (uses.attributed < uses.count)
    find(
      'unattributed-uses',
      `for ${uses.count - uses.attributed} of ${uses.count} uses no event says whose token it was`,
    );
  if (clock?.verdict === 'ahead')
    find('clock-off', `its clock is ahead by ${spanOf(-clock.delay.least / 1000)} or more`);
  if (clock?.verdict === 'behind-or-late') {
    find(
      'clock-off',
      `its clock is behind, or it sends late: the promptest event came ${spanOf(clock.delay.least / 1000)} after its own time`,
    );
  }
  if (last !== null && item.never_sent.length > 0)
    find('never-sent', `registered for ${item.never_sent.join(', ')}, and has sent none`);
  return found;
}

export const bySeriousness = (one: Finding, other: Finding): number =>
  FINDING_CODES.indexOf(one.code) - FINDING_CODES.indexOf(other.code) ||
  (one.source.name! < other.source.name! ? -1 : 1);

const events = (count: number): string => (count === 1 ? '1 event' : `${count} events`);

const UNITS = [
  ['days', 86_400],
  ['hours', 3_600],
  ['minutes', 60],
] as const;

/** Writes a span for people, in the largest unit of which there are at least two. */
export function spanOf(seconds: number): string {
  const [name, size] = UNITS.find(([, unit]) => seconds >= 2 * unit) ?? ['seconds', 1];
  const value = seconds / size;
  return `${value < 10 ? Math.floor(value * 10) / 10 : Math.floor(value)} ${name}`;
}
