import { describe, expect, it } from '@jest/globals';
import { RescindError } from '../../contracts/index.js';
import { createMetrics } from '../../platform/observe/index.js';
import { createRuleQuota } from './rule-quota.js';
import type { Judged } from './submission.js';

const IDP = 'https://idp.example';

const eventOf = (source: string, name: string, data: object, tenant = 'acme'): Judged =>
  ({
    accepted: true,
    name,
    event: { data: { iss: IDP, ...data } },
    source: { id: source, name: source, tenant },
  }) as unknown as Judged;
const ended = (source: string, tenant?: string): Judged => eventOf(source, 'session.ended', { sid: 's' }, tenant);
/** Makes an event of 72 selectors. */
const deleted = (source: string): Judged => {
  const eight = Array.from({ length: 8 }, (_, nth) => `https://${nth}.example`);
  return eventOf(source, 'connection.deleted', { idp_client_id: 'c', client_id: 'c', aud: eight, resource: eight });
};

function given({ standing = 0, bounds = { source: 10, tenant: 25, standing: 1_000 } } = {}) {
  let now = 0;
  const metrics = createMetrics();
  const state = { tenant: () => ({ rules: { size: standing } }) } as never;
  const sut = createRuleQuota({ state, metrics, bounds, monotonic: () => now });
  const refusal = (events: readonly Judged[]): unknown => {
    try {
      sut.admit(events);
      return undefined;
    } catch (error) {
      return error instanceof RescindError
        ? [error.code, error.kind, error.retryable, error.extensions?.['retry_after']]
        : error;
    }
  };
  return { sut, refusal, metrics, pass: (seconds: number) => (now += seconds * 1_000) };
}
const times = (count: number, event: Judged): Judged[] => Array.from({ length: count }, () => event);

describe('the quota of rule events', () => {
  it('lets ten seconds’ worth in at once, and what is larger alone; what follows waits until that is worked off', () => {
    const { refusal, pass } = given();
    expect(refusal(times(2, deleted('idp')))).toBeUndefined();
    // 144 selectors are taken of a bound of 100; 10 come back each second.
    expect(refusal([ended('idp')])).toEqual(['too-many-rules', 'overloaded', true, 6]);
    pass(4);
    expect(refusal([ended('idp')])).toMatchObject({ 0: 'too-many-rules' });
    pass(1);
    expect(refusal([ended('idp')])).toBeUndefined();
  });

  it('counts selectors, and events that become no rule not at all', () => {
    const { refusal } = given();
    for (let n = 0; n < 100; n++) expect(refusal([ended('idp')])).toBeUndefined();
    expect(refusal([ended('idp')])).toMatchObject({ 0: 'too-many-rules' });
    expect(refusal(times(1_000, eventOf('idp', 'token.issued', {})))).toBeUndefined();
    expect(refusal([{ accepted: false } as Judged])).toBeUndefined();
  });

  it('binds a source by itself, and a tenant by the sum of its sources', () => {
    const { refusal } = given();
    expect(refusal(times(110, ended('idp')))).toBeUndefined();
    expect(refusal(times(110, ended('hr')))).toBeUndefined();
    expect(refusal(times(110, ended('chat')))).toBeUndefined();
    expect(refusal([ended('wiki')])).toMatchObject({ 0: 'too-many-rules' });
    expect(refusal([ended('elsewhere', 'globex')])).toBeUndefined();
  });

  it('takes nothing of a request that it refuses', () => {
    const { refusal } = given();
    expect(refusal(times(101, ended('idp')))).toBeUndefined();
    expect(refusal([...times(99, ended('hr')), ended('idp')])).toMatchObject({ 0: 'too-many-rules' });
    expect(refusal(times(99, ended('hr')))).toBeUndefined();
    expect(refusal([ended('hr')])).toBeUndefined();
  });

  it('lets no event add rules to a tenant that holds as many as it may', () => {
    expect(given({ standing: 1_000 }).refusal([ended('idp')])).toEqual(['too-many-rules', 'overloaded', true, 60]);
    expect(given({ standing: 999 }).refusal([ended('idp')])).toBeUndefined();
  });

  it('says who waits at which door', async () => {
    const { sut, refusal, metrics } = given();
    refusal(times(101, ended('idp')));
    refusal([ended('idp')]);
    expect(sut.tryAdmit([ended('idp')])).toBe(false);
    expect(sut.tryAdmit([ended('hr')])).toBe(true);
    const text = await metrics.text();
    expect(text).toContain('rescind_rule_quota_waits_total{source="idp",bound="source",door="http"} 1');
    expect(text).toContain('rescind_rule_quota_waits_total{source="idp",bound="source",door="kafka"} 1');
  });
});
