import { Type } from 'typebox';
import type { Severity } from '../../findings/index.js';
import type { Message } from '../channel.js';
import { ADDRESS, httpKind } from './http-kind.js';
import { commandOf, factsOf, shown } from './text.js';

const EVENTS_V2 = 'https://events.pagerduty.com/v2/enqueue';
/** Bound of PagerDuty on a summary, in characters. */
const SUMMARY = 1_024;
const VALUE = 1_000;
const COMMAND = 4_000;

const SEVERITIES: Readonly<Record<Severity, string>> = {
  critical: 'critical',
  high: 'error',
  medium: 'warning',
  low: 'info',
  info: 'info',
};

/** Events API v2 of PagerDuty: a finding is an incident, from its first news to its end. */
export const pagerduty = httpKind({
  name: 'pagerduty',
  means: 'A service of PagerDuty: the key of an integration with Events API v2.',
  members: {
    address: ADDRESS,
    routing_key: Type.String({
      pattern: '^[A-Za-z0-9]{32}$',
      description: 'Integration key of the service. It is never answered.',
    }),
  },
  required: ['routing_key'],
  defaultAddress: EVENTS_V2,
  signs: false,
  atOnce: 2,
  format: (message, { settings }) => ({
    address: settings['address'] ?? EVENTS_V2,
    body: { routing_key: settings['routing_key'], dedup_key: message.finding.id, ...eventOf(message) },
  }),
  refuses: (status) => status === 400,
});

function eventOf(message: Message) {
  const { told, finding, link } = message;
  const action = told === 'test' ? 'trigger' : actionOf(finding.state);
  if (action !== 'trigger') return { event_action: action };
  const command = commandOf(message, COMMAND);
  return {
    event_action: action,
    client: 'Rescind',
    ...(link === null ? {} : { client_url: link, links: [{ href: link, text: 'Show the finding' }] }),
    payload: {
      summary: shown(finding.says, SUMMARY),
      source: shown(finding.resource?.uri ?? finding.source?.name ?? 'Rescind', VALUE),
      severity: SEVERITIES[finding.severity],
      timestamp: finding.last_seen,
      class: finding.kind,
      custom_details: {
        ...Object.fromEntries(factsOf(message).map(([name, value]) => [name, shown(value, VALUE)])),
        Next: shown(finding.next, VALUE),
        ...(command === undefined ? {} : { 'Stop it': command }),
      },
    },
  };
}

/** The state of the finding decides, not the news: a late attempt must not open an incident that has ended. */
function actionOf(state: string): 'trigger' | 'acknowledge' | 'resolve' {
  if (state === 'open') return 'trigger';
  return state === 'acknowledged' ? 'acknowledge' : 'resolve';
}
