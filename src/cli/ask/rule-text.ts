import { IDENTITY_MEMBERS, type Author } from '../../contracts/index.js';
import type { Answer } from '../client.js';
import { formatRecord, formatTable, localTime, printable } from '../output.js';

export const timeText = (time: unknown): string => printable(localTime(String(time)));

export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${grouped(count)} ${count === 1 ? one : many}`;

export const grouped = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ',');

type Member = string | Answer | true;

/** Names what a selector selects, in one line: `user alice of idp.acme.example at resource api.example`. */
export function selectorText(selector: unknown, or?: unknown): string {
  const named = Object.entries(selector as Record<string, Member>).map(([name, value]) => memberText(name, value));
  const others = Object.values((or ?? {}) as Record<string, readonly unknown[]>).reduce(
    (sum, values) => sum + values.length,
    0,
  );
  return printable(named.join(', ') + (others > 0 ? ` and ${counted(others, 'further name')}` : ''));
}

function memberText(name: string, value: Member): string {
  if (name === 'all') return 'everything';
  if (name === 'agent_type') return `agents of type ${value as string}`;
  if (typeof value !== 'object') return `${name} ${short(String(value))}`;
  const { iss, tenant, sha256, signing_input_sha256: signed, ...own } = value as Record<string, string>;
  const label = name === 'id_jag' ? 'ID-JAG' : name;
  if (sha256 !== undefined) return `${label} with SHA-256 ${sha256}`;
  if (signed !== undefined) return `${label} with signing input SHA-256 ${signed}`;
  return `${label} ${Object.values(own).join(' ')}${tenant === undefined ? '' : ` (tenant ${tenant})`} of ${short(iss!)}`;
}

const short = (url: string): string => url.replace(/^https:\/\//, '');

/** Describes an effect: `block, until it is lifted`; `revoke of what was granted until …`. */
export function effectText(
  { effect, before, until, resume, reauthenticate }: Answer,
  { isOrdered = false } = {},
): string {
  const anew = reauthenticate === true ? ', or by an older sign-in' : '';
  if (effect === 'revoke')
    return before === undefined
      ? `revoke, for ever${isOrdered ? anew : ''}`
      : `revoke of what was granted until ${timeText(before)}${anew}`;
  if (until === undefined) return 'block, until it is lifted';
  return `block until ${timeText(until)}; then ${resume === true ? 'all of it is good again' : 'what was granted by then stays revoked'}`;
}

/** Describes an order as a sentence: `Block user alice of idp.acme.example until somebody lifts it.` */
export function orderSentence(order: Answer): string {
  const { effect, before, until, resume } = order;
  const selects = selectorText(order['selector']);
  if (effect !== 'revoke')
    return `Block ${selects} until ${until === undefined ? 'somebody lifts it' : `${timeText(until)}; then ${resume === true ? 'all of it is good again' : 'what was granted by then stays revoked'}`}.`;
  return isByIdentity(order)
    ? `Revoke ${selects} for ever.`
    : `Revoke what was granted until ${before === undefined ? 'now' : timeText(before)}: ${selects}.`;
}

/** Says whether the order names a token, an ID-JAG or a session, none of which can be granted anew. */
export const isByIdentity = (order: Answer): boolean =>
  IDENTITY_MEMBERS.some((member) => member in ((order['selector'] ?? {}) as object));

export function authorText(author: unknown): string {
  const { caller, person, on_behalf_of } = (author ?? {}) as Partial<Author>;
  if (person !== undefined) return printable(`${person.sub} (signed in at ${person.iss})`);
  return printable(on_behalf_of === undefined ? String(caller) : `${on_behalf_of} (as ${caller})`);
}

/** Reads the counts of a preview. `bound` goes before a number that may be larger in truth. */
function readHits(hits: Answer) {
  const { used_in_last_hour: used, at_least: atLeast, ...counts } = hits as unknown as Hits;
  return { ...counts, used: grouped(used), bound: atLeast ? 'at least ' : '' };
}

interface Hits {
  readonly users: number;
  readonly tokens: number;
  readonly used_in_last_hour: number;
  readonly grants: number;
  readonly connections: number;
  readonly at_least?: boolean;
}

/** Describes the counts of a preview: how much a rule hits. */
export function hitsText(hits: Answer): string {
  const { users, tokens, used, grants, connections, bound } = readHits(hits);
  const parts = [
    counted(users, 'user'),
    `${counted(tokens, 'live token')} (${used} used in the last hour)`,
    counted(grants, 'grant'),
    counted(connections, 'connection'),
  ];
  return bound + parts.join(', ');
}

export function hitsTable(hits: Answer): string {
  const { users, tokens, used, grants, connections, bound } = readHits(hits);
  const number = (count: number): string => bound + grouped(count);
  return formatRecord({
    users: number(users),
    'live tokens': `${number(tokens)}, of which ${used} used in the last hour`,
    grants: number(grants),
    connections: number(connections),
  })
    .replace(/^/gm, '  ')
    .trimEnd();
}

/** Warns of members that no event has ever named; undefined if there are none. */
export function unknownText(unknown: unknown): string | undefined {
  const members = (unknown ?? []) as readonly string[];
  if (members.length === 0) return undefined;
  const names = members.map((member) => member.replace('_', ' ').replace('id jag', 'ID-JAG'));
  return `no event has ever named this ${names.join(' or this ')}: check the spelling`;
}

/** Lists the other rules that stop the selection; an empty text if there are none. */
export function otherRulesText(others: unknown, heading: string): string {
  if (others === null) return '\nWhat else stops it could not be found out in time: ask `rescind revoke list`.\n';
  if (others === undefined) return '';
  const { rules, more, at_least: atLeast } = others as { rules: readonly Answer[]; more: number; at_least?: true };
  if (rules.length === 0) return atLeast ? '\nNo rule that you may read stops it besides.\n' : '';
  const lines = rules.map((rule) => {
    const stops = rule['stops'] === 'all' ? 'all of it' : 'a part   ';
    const reason = printable(String(rule['reason']));
    return `  ${stops}  ${selectorText(rule['selector'], rule['or'])}: ${effectText(rule)}\n             rule ${String(rule['id'])}, by ${authorText(rule['author'])}: ${reason}\n`;
  });
  const rest =
    more > 0 || atLeast
      ? `  and ${atLeast && more === 0 ? 'perhaps more' : `${atLeast ? 'at least ' : ''}${grouped(more)} more`}\n`
      : '';
  return `\n${heading}\n${lines.join('')}${rest}`;
}

/** Describes, without a leading verb, how a block ended and what remains stopped; undefined if the block has not ended. */
export function endText(ended: unknown): string | undefined {
  if (ended === undefined) return undefined;
  const { by, at, leaves, before, author, revoke, event, entry } = ended as Record<string, unknown>;
  const how = {
    lift: `lifted at ${timeText(at)} by ${authorText(author)}`,
    until: `its end came at ${timeText(at)}`,
    event: `enabled again at ${timeText(at)}${event === undefined ? '' : ` by event ${String(event)} (entry ${String(entry)})`}`,
  }[by as 'lift' | 'until' | 'event'];
  const left =
    leaves === 'nothing'
      ? 'it stops nothing any more'
      : `what was granted until ${timeText(before)} stays revoked${revoke === undefined ? '' : `, by rule ${String(revoke)}`}`;
  return printable(`${how}; ${left}`);
}

/** Formats a rule, one member a line. */
export function ruleText(rule: Answer): string {
  const { origin, lift } = rule as { origin?: { event: string; at: string }; lift?: Answer };
  return formatRecord({
    rule: rule['id'],
    state: rule['state'],
    ended: endText(rule['ended']),
    'in force': inForceText(rule),
    selects: selectorText(rule['selector'], rule['or']),
    effect: effectText(rule, { isOrdered: true }),
    reason: rule['reason'],
    ordered: `${timeText(rule['at'])} by ${authorText(rule['author'])}`,
    'made by': origin === undefined ? undefined : `event ${origin.event} of ${timeText(origin.at)}`,
    'after lift of': rule['after_lift_of'],
    'lift reason': lift?.['reason'],
  });
}

function inForceText({ state, in_force: inForce, lift }: Answer): string {
  if (state === 'lifted')
    return (lift as Answer | undefined)?.['in_force'] === false
      ? 'no; some nodes may not have heard of the lift yet'
      : 'no: it is lifted';
  if (state === 'expired') return 'no: it stops nothing any more';
  if (inForce !== true) return 'not yet on every node and guard';
  return state === 'turned-revoke' ? 'yes, as a revoke: the block itself has ended' : 'yes, on every node and guard';
}

/** Formats rules as a table, one line a rule. */
export function ruleTable(rules: readonly Answer[]): string {
  const rows = rules.map((rule) => {
    const { at } = (rule['ended'] ?? {}) as { at?: string };
    const state = rule['state'] === 'live' && rule['in_force'] !== true ? 'live, not confirmed' : rule['state'];
    return {
      id: rule['id'],
      ordered: timeText(rule['at']),
      state,
      ended: at === undefined ? undefined : timeText(at),
      effect: rule['effect'],
      selects: selectorText(rule['selector'], rule['or']),
      reason: rule['reason'],
    };
  });
  return formatTable(rows, ['id', 'ordered', 'state', 'ended', 'effect', 'selects', 'reason']);
}
