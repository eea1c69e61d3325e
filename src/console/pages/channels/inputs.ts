import { valuesOf } from '../../display/findings/finding-words.js';
import type { Channel, ChannelInput } from './queries.js';

export type ChannelKind = Channel['kind'];
export type News = NonNullable<Channel['news']>[number];

export const NEWS = valuesOf<News>({
  opened: true,
  grown: true,
  reopened: true,
  resolved: true,
  'state-changed': true,
  'rule-ordered': true,
  'rule-held-back': true,
});

interface KindWords {
  readonly label: string;
  /** Says what the address is, with an example; undefined if the kind has a usual one. */
  readonly address: string;
  readonly example: string;
  readonly hasFormat?: true;
  readonly hasRoutingKey?: true;
  /** Whether Rescind makes a secret that signs messages. */
  readonly signs?: true;
}

export const KIND_WORDS: Readonly<Record<ChannelKind, KindWords>> = {
  webhook: {
    label: 'Webhook: a program of your own',
    address: 'Address of the program',
    example: 'https://hooks.example/rescind',
    hasFormat: true,
    signs: true,
  },
  slack: {
    label: 'Slack',
    address: 'Address of an incoming webhook',
    example: 'https://hooks.slack.com/services/…',
  },
  teams: {
    label: 'Microsoft Teams',
    address: 'Address of a workflow that begins with a webhook request',
    example: 'https://….logic.azure.com/workflows/…',
  },
  pagerduty: {
    label: 'PagerDuty',
    address: 'Address of another region',
    example: 'https://events.eu.pagerduty.com/v2/enqueue',
    hasRoutingKey: true,
  },
  syslog: {
    label: 'Syslog over TLS: a SIEM',
    address: 'Host and port of the receiver',
    example: 'syslog-tls://siem.example:6514',
    hasFormat: true,
  },
};

/** The words of the form. Empty text stands for what is not said. */
export interface Written {
  readonly name: string;
  readonly kind: ChannelKind;
  readonly address: string;
  readonly routingKey: string;
  readonly format: 'json' | 'ocsf' | '';
  readonly enabled: boolean;
  readonly severity: Channel['severity'];
  readonly kinds: NonNullable<Channel['kinds']>;
  readonly news: readonly News[];
  readonly tags: readonly string[];
}

/** Begins with what a channel has; answers show no address, so it stays empty and unchanged. */
export const writtenOf = (channel?: Channel): Written => ({
  name: channel?.name ?? '',
  kind: channel?.kind ?? 'webhook',
  address: '',
  routingKey: '',
  format: '',
  enabled: channel?.enabled ?? true,
  severity: channel?.severity ?? 'info',
  kinds: channel?.kinds ?? [],
  news: channel?.news ?? [],
  tags: channel?.tags ?? [],
});

/** Makes the body of `PUT /v1/channels/{name}`. Members of the kind that are left out stay as they are. */
export function inputOf(written: Written): ChannelInput {
  const { kind, address, routingKey, format, enabled, severity, kinds, news, tags } = written;
  const { hasFormat, hasRoutingKey } = KIND_WORDS[kind];
  return {
    kind,
    enabled,
    severity,
    ...(address === '' ? {} : { address }),
    ...(hasRoutingKey && routingKey !== '' ? { routing_key: routingKey } : {}),
    ...(hasFormat && format !== '' ? { format } : {}),
    ...(kinds.length === 0 ? {} : { kinds }),
    ...(news.length === 0 ? {} : { news }),
    ...(tags.length === 0 ? {} : { tags }),
  } as ChannelInput;
}
