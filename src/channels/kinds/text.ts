import { printable } from '../../contracts/index.js';
import type { Message, Told } from '../channel.js';

const ELLIPSIS = '…';

/** Makes a name or sentence safe to show: no invisible character, and at most `most` characters. */
export function shown(text: string, most: number): string {
  const characters = [...printable(text)];
  return characters.length <= most ? characters.join('') : `${characters.slice(0, most - 1).join('')}${ELLIPSIS}`;
}

const HEADINGS: Readonly<Record<Told, string>> = {
  opened: 'New finding',
  grown: 'Finding has grown',
  reopened: 'Finding is open again',
  resolved: 'Finding has ended',
  'state-changed': 'Finding has another state',
  'rule-ordered': 'A detection ordered the rule of a finding',
  'rule-held-back': 'A detection did not order the rule of a finding',
  test: 'Test of this channel',
};

export const headingOf = ({ told, finding }: Message): string =>
  `${HEADINGS[told]}: ${finding.severity}, ${finding.kind}`;

/** The lines of a finding that people read, as names and values. */
export function factsOf({ finding }: Message): readonly (readonly [string, string])[] {
  const { state, count, first_seen: first, last_seen: last, user, client, agent, resource, source, action } = finding;
  return [
    ['State', state],
    ['Count', String(count)],
    ['First seen', first],
    ['Last seen', last],
    ...(user === null ? [] : [['User', user.display_name ?? user.sub] as const]),
    ...(client === null ? [] : [['Client', client.display_name ?? client.client_id] as const]),
    ...(agent === null ? [] : [['Agent', agent.display_name ?? agent.id] as const]),
    ...(resource === null ? [] : [['Resource', resource.uri] as const]),
    ...(source === null ? [] : [['Source', source.name ?? 'Rescind'] as const]),
    ...(action === null ? [] : [['Action', action.says] as const]),
  ];
}

/** The command that stops what was found. A command that would be shown otherwise than it is typed is left out. */
export function commandOf({ finding }: Message, most: number): string | undefined {
  const command = finding.stop?.command;
  return command !== undefined && command.length <= most && printable(command) === command ? command : undefined;
}
