import { describe, expect, it } from '@jest/globals';
import { ocsfFaults } from '../../test/support/ocsf.js';
import { findingToOcsf, type FindingChange, type ShownFinding } from './finding.js';

const FINDING: ShownFinding = {
  id: '6f1c1d0e-8a55-4f0c-9a5e-2d3b0c9f1a11',
  kind: 'bulk-export',
  severity: 'high',
  state: 'open',
  says: 'Atlas read 48,200 records for Dana in a day.',
  means: 'A user and client read far more than they ever did.',
  next: 'Ask the user, and stop the client if nobody knows why.',
  first_seen: '2026-11-20T09:00:00Z',
  last_seen: '2026-11-20T09:20:00Z',
  found_at: '2026-11-20T09:00:02.125Z',
  count: 482,
  user: { iss: 'https://idp.acme.example', tenant: 'acme', sub: 'u-7f3a91' },
  client: { iss: 'https://login.chat.example', client_id: 'atlas-at-chat' },
  agent: { iss: 'https://idp.acme.example', id: 'atlas' },
  resource: { uri: 'https://api.chat.example' },
  token: 'AAECAwQFBgcICQoLDA0ODw',
  source: { name: 'chat' },
  entries: ['41', '57'],
  details: { records: 48_200 },
  see: '/v1/access?user=7',
  stop: {
    selector: { client: { iss: 'https://login.chat.example', client_id: 'atlas-at-chat' } },
    command: 'rescind revoke …',
  },
  action: null,
};
/** A finding that names nobody. */
const BARE: ShownFinding = {
  ...FINDING,
  user: null,
  client: null,
  agent: null,
  resource: null,
  token: null,
  source: null,
  entries: [],
  details: {},
  stop: null,
};
const CHANGE: FindingChange = { position: 7n, change: 'opened', atMs: 1_790_000_001_500, tenant: 'default' };
const ocsf = (finding: Partial<ShownFinding> = {}, change: Partial<FindingChange> = {}, base = FINDING) =>
  findingToOcsf({ ...base, ...finding }, { ...CHANGE, ...change }, { version: '0.1.0' });

describe('the OCSF form of a finding', () => {
  it.each([
    ['opened', 'open', 200401, 1],
    ['grown', 'open', 200402, 1],
    ['acknowledged', 'acknowledged', 200402, 2],
    ['resolved', 'resolved', 200403, 4],
    ['false-alarm', 'false-alarm', 200403, 3],
    ['reopened', 'open', 200402, 1],
    ['rule-ordered', 'open', 200402, 1],
  ])('%s: a valid Detection Finding, with the state %s', (change, state, type, status) => {
    for (const base of [FINDING, BARE]) {
      const event = ocsf({ state }, { change }, base);
      expect(ocsfFaults(event)).toEqual([]);
      expect(event).toMatchObject({ class_uid: 2004, category_uid: 2, type_uid: type, status_id: status });
    }
  });

  it.each([
    ['info', 1],
    ['low', 2],
    ['medium', 3],
    ['high', 4],
    ['critical', 5],
  ])('the severity %s is %d', (severity, id) => {
    const event = ocsf({ severity });
    expect(event['severity_id']).toBe(id);
    expect(ocsfFaults(event)).toEqual([]);
  });

  it('names the finding, who and what, and the entries by the ids of their own events', () => {
    expect(ocsf()).toMatchObject({
      time: 1_790_000_001_500,
      message: FINDING.says,
      metadata: { uid: 'default/findings/7', sequence: 7, correlation_uid: FINDING.id, event_code: 'finding.opened' },
      finding_info: {
        uid: FINDING.id,
        types: ['bulk-export'],
        created_time: Date.parse(FINDING.found_at),
        related_events: [{ uid: 'default/41' }, { uid: 'default/57' }],
      },
      evidences: [{ actor: { user: { uid: 'u-7f3a91' }, app_uid: 'atlas-at-chat' }, data: { records: 48_200 } }],
      resources: [{ uid: 'https://api.chat.example' }],
      unmapped: { see: FINDING.see, stop: FINDING.stop },
    });
    expect((ocsf()['observables'] as { value: string }[]).map(({ value }) => value)).toEqual([
      'u-7f3a91',
      'atlas-at-chat',
      'atlas',
      'https://api.chat.example',
      'AAECAwQFBgcICQoLDA0ODw',
    ]);
  });

  it('says what the detection did with it by itself', () => {
    const action = { outcome: 'ordered', says: 'Its detection ordered rule r-1, which came into force.', rule: 'r-1' };
    const event = ocsf({ action }, { change: 'rule-ordered' });
    expect(event).toMatchObject({
      message: `${FINDING.says} ${action.says}`,
      metadata: { event_code: 'finding.rule-ordered' },
      unmapped: { action: { outcome: 'ordered', rule: 'r-1' } },
    });
    expect(ocsfFaults(event)).toEqual([]);
  });

  it('a state or a severity that it does not know is said in words', () => {
    const event = ocsf({ state: 'muted', severity: 'odd' });
    expect(event).toMatchObject({ status_id: 99, status: 'muted', severity_id: 99, severity: 'odd' });
    expect(ocsfFaults(event)).toEqual([]);
  });
});
