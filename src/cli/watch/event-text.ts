import { counted, selectorText } from '../ask/rule-text.js';
import type { Answer } from '../client.js';
import { localTime, printable } from '../output.js';
import type { StreamEvent } from './events.js';

/** Characters of a node's or guard's id that are shown. */
const SHORT_ID = 8;

/** Formats an event in one line, or two for a finding that something stops. */
export function eventText({ event, data }: StreamEvent, now: () => Date = () => new Date()): string {
  const time = localTime(String(data['at'] ?? now().toISOString()));
  return said(event, data)
    .map((line, nth) => `${nth === 0 ? `${time}  ${event.toUpperCase().padEnd(8)}  ` : '  '}${printable(line)}\n`)
    .join('');
}

function said(event: string, data: StreamEvent['data']): readonly string[] {
  switch (event) {
    case 'finding':
      return findingText(data);
    case 'rule':
      return [ruleText(data)];
    case 'coverage':
      return [`${data['what'] === 'ended' ? 'over: ' : ''}${String(data['says'])}`];
    case 'gap':
      return [
        data['why'] === 'deleted'
          ? `${counted(Number(data['missed']), 'change')} of ${String(data['of'])} came and went while nobody read`
          : `the service knows less of ${String(data['of'])} than was read before: its database was restored`,
      ];
    case 'end':
      return [String(data['detail'])];
    default:
      return [JSON.stringify(data)];
  }
}

function findingText(data: StreamEvent['data']): readonly string[] {
  const finding = data['finding'] as Answer | null;
  const what = String(data['what']);
  if (finding === null) return [`${what}: finding ${String(data['id'])}, which is gone`];
  const stop = finding['stop'] as Answer | null;
  return [
    `${what}, ${String(finding['severity'])}, ${String(finding['kind'])}: ${String(finding['says'])}`,
    ...(stop === null || what === 'resolved' ? [] : [`stop: ${String(stop['command'])}`]),
  ];
}

function ruleText(data: StreamEvent['data']): string {
  const after = data['ms'] === undefined ? '' : ` after ${String(data['ms'])} ms`;
  const { what, seq, guards, node, guard } = data;
  const name = data['rule'] === undefined ? `record ${String(seq)}` : `rule ${String(data['rule'])}`;
  const by = ((data['author'] as Answer | undefined)?.['caller'] ?? 'a source') as string;
  switch (what) {
    case 'ordered':
      return `${name}: ${String(data['effect'])} ${selectorText(data['selector'], data['or'])}, by ${by}: ${String(data['reason'])}`;
    case 'lifted':
      return `${name}: lifted by ${by}: ${String(data['reason'])}`;
    case 'enabled':
      return `${name}: a source enabled what it had disabled`;
    case 'confirmed':
      return `${name}: node ${short(node)} confirmed, with ${counted(Number(guards), 'guard')}${after}`;
    case 'expired':
      return `${name}: node ${short(node)} is gone, its lease has run out${after}`;
    case 'guard-confirmed':
      return `${name}: guard ${short(guard)} of ${String(data['caller'])} confirmed${after}`;
    case 'not-confirmed':
      return `${name}: not yet confirmed by all${after}; waiting on`;
    case 'in-force':
      return `${name}: in force${partiesText(data['confirmed'] as Answer | undefined)}${after}`;
    default:
      return `${name}: ${String(what)}`;
  }
}

const partiesText = (confirmed: Answer | undefined): string =>
  confirmed === undefined
    ? ''
    : ` on ${counted(Number(confirmed['nodes']), 'node')} and ${counted(Number(confirmed['guards']), 'guard')}`;

const short = (id: unknown): string => String(id).slice(0, SHORT_ID);
