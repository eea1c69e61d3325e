import { describe, expect, it } from '@jest/globals';
import { inputOf, writtenOf } from './inputs.js';

const NEW = writtenOf();

describe('the words of the form as a setting', () => {
  it.each([
    ['a new webhook', { address: 'https://a.example' }, { kind: 'webhook', address: 'https://a.example' }],
    ['an empty address, which stays', {}, { kind: 'webhook' }],
    [
      'filters',
      { kinds: ['refusals'], news: ['opened'], tags: ['pay'] },
      { kind: 'webhook', kinds: ['refusals'], news: ['opened'], tags: ['pay'] },
    ],
    ['a key that belongs to another kind', { kind: 'slack', routingKey: 'k', format: 'ocsf' }, { kind: 'slack' }],
    ['a key of PagerDuty', { kind: 'pagerduty', routingKey: 'k' }, { kind: 'pagerduty', routing_key: 'k' }],
    ['a format', { kind: 'syslog', format: 'ocsf' }, { kind: 'syslog', format: 'ocsf' }],
  ] as const)('%s', (_, written, expected) =>
    expect(inputOf({ ...NEW, ...written } as typeof NEW)).toEqual({ enabled: true, severity: 'info', ...expected }),
  );
});
