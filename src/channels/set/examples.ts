/* Requests as OpenAPI shows them. */

export const CHANNEL_EXAMPLES = {
  webhook: {
    summary: 'A receiver of Standard Webhooks, for findings that are high or worse',
    value: { kind: 'webhook', address: 'https://hooks.corp.example/rescind', severity: 'high' },
  },
  slack: {
    summary: 'A channel of Slack that hears of new findings and of rules that detections order',
    value: {
      kind: 'slack',
      address: 'https://hooks.slack.com/services/T0000/B0000/XXXX',
      news: ['opened', 'reopened', 'rule-ordered', 'rule-held-back'],
    },
  },
  pagerduty: {
    summary: 'A service of PagerDuty, for two kinds of findings',
    value: {
      kind: 'pagerduty',
      routing_key: '00000000000000000000000000000000',
      kinds: ['token-from-two-networks', 'bulk-export'],
    },
  },
  syslog: {
    summary: 'A SIEM that takes syslog over TLS, with OCSF events',
    value: { kind: 'syslog', address: 'syslog-tls://siem.corp.example:6514', format: 'ocsf' },
  },
};

export const ROTATE_EXAMPLES = {
  default: { summary: 'The old secret signs too for the usual time', value: {} },
};

export const REPLAY_EXAMPLES = {
  dead: { summary: 'Sends again all deliveries that were given up', value: { state: 'dead' } },
};
