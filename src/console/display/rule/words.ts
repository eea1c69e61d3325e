import type { Rule, Selector } from '../../api/rules.js';
import { timeText } from '../times.js';

/** One member of a selector. Names come from strangers, so they stay apart from the words around them. */
export interface SelectorPart {
  readonly label: string;
  readonly name?: string;
  /** The issuer that gave the name. */
  readonly of?: string;
}

/** Members of a selector that are never granted anew. */
const IDENTITIES = ['token', 'id_jag', 'session'] as const;
export const isByIdentity = (selector: Selector): boolean => IDENTITIES.some((member) => member in selector);

export const defaultEffect = (selector: Selector): Rule['effect'] => (isByIdentity(selector) ? 'revoke' : 'block');

/** Names what a selector selects, member by member. All of them must fit. */
export function selectorParts(selector: Selector, or?: Rule['or']): SelectorPart[] {
  const { user, client, agent, agent_type, resource, issuer, session, token, id_jag, all } = selector;
  // The issuer of an identifier need not be said beside it.
  const isNamed = [user, client, agent, session, token, id_jag].some(
    (one) => one !== undefined && 'iss' in one && one.iss === issuer,
  );
  return [
    ...(all === true ? [{ label: 'everything' }] : []),
    ...(session === undefined ? [] : [{ label: 'session', name: session.sid, of: session.iss }]),
    ...(token === undefined ? [] : [identityPart('token', token)]),
    ...(id_jag === undefined ? [] : [identityPart('ID-JAG', id_jag)]),
    ...(user === undefined
      ? []
      : [
          {
            label: 'user',
            name: user.tenant === undefined ? user.sub : `${user.sub} (tenant ${user.tenant})`,
            of: user.iss,
          },
        ]),
    ...(agent === undefined ? [] : [{ label: 'agent', name: agent.id, of: agent.iss }]),
    ...(agent_type === undefined ? [] : [{ label: 'agents of type', name: agent_type }]),
    ...(client === undefined ? [] : [{ label: 'client', name: client.client_id, of: client.iss }]),
    ...(or?.client ?? []).map(({ client_id, iss }) => orPart('client', client_id, iss)),
    ...(resource === undefined ? [] : [{ label: 'resource', name: resource }]),
    ...(or?.resource ?? []).map((one) => orPart('resource', one)),
    ...(issuer === undefined || isNamed ? [] : [{ label: 'issuer', name: issuer }]),
  ];
}

const orPart = (label: string, name = '', of?: string): SelectorPart => ({
  label: `or ${label}`,
  name,
  ...(of === undefined ? {} : { of }),
});

function identityPart(label: string, identity: NonNullable<Selector['token']>): SelectorPart {
  if ('jti' in identity) return { label, name: identity.jti, of: identity.iss };
  if ('sha256' in identity) return { label: `${label} with SHA-256`, name: identity.sha256 };
  return { label: `${label} with signing input SHA-256`, name: identity.signing_input_sha256 };
}

/** Ends of a block that a form offers, by the duration that an order takes. */
export const DURATIONS = { '1h': '1 hour', '4h': '4 hours', '1d': '1 day', '7d': '7 days', '30d': '30 days' } as const;
export type Duration = keyof typeof DURATIONS;
export const isDuration = (value: unknown): value is Duration => typeof value === 'string' && value in DURATIONS;

export interface Terms {
  readonly effect: Rule['effect'];
  readonly selector: Selector;
  readonly before?: string;
  /** A time, or a duration from the order on. */
  readonly until?: string;
  readonly resume?: boolean;
  readonly reauthenticate?: boolean;
}

/** Says what a rule does to what it selects, and until when. */
export function effectText({ effect, selector, before, until, resume, reauthenticate }: Terms): string {
  if (effect === 'block') {
    const stops = 'Stops what was granted and what is granted from now on';
    if (until === undefined) return `${stops}, until somebody lifts it.`;
    const end = isDuration(until) ? `for ${DURATIONS[until]}` : `until ${timeText(until)}`;
    return `${stops}, ${end}. ${resume === true ? 'After that, all of it works again.' : 'After that, what was granted by then stays revoked.'}`;
  }
  if (isByIdentity(selector)) return 'Stops it for ever, with everything that came from it. This cannot be lifted.';
  const anew = reauthenticate === true ? ' The user must have signed in again, too.' : '';
  return `Stops what was granted until ${before === undefined ? 'now' : timeText(before)}. What is granted later works.${anew} This cannot be lifted.`;
}

export const liftText = (resume: boolean): string =>
  resume
    ? 'All of it works again, also what was granted before the lift.'
    : 'What is granted from now on works. What was granted before stays revoked.';

/** How a rule stands, in a word or two. */
export function stateText({ state, in_force, lift }: Pick<Rule, 'state' | 'in_force' | 'lift'>): string {
  switch (state) {
    case 'live':
      return in_force ? 'in force' : 'not yet in force';
    case 'lifted':
      return lift?.in_force === false ? 'lift under way' : 'lifted';
    case 'turned-revoke':
      return 'ended, revokes';
    case 'expired':
      return 'over';
  }
}

/** Says how a block ended and what stays stopped; undefined if it has not ended. */
export function endText({ ended }: Pick<Rule, 'ended'>): string | undefined {
  if (ended === undefined) return undefined;
  const how = {
    lift: 'It was lifted',
    until: 'Its end came',
    event: 'Its source enabled what it had disabled',
  }[ended.by];
  const left =
    ended.leaves === 'nothing'
      ? 'It stops nothing any more.'
      : `What was granted until ${ended.before === undefined ? 'then' : timeText(ended.before)} stays revoked. What is granted later works.`;
  return `${how}. ${left}`;
}
