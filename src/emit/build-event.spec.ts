import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import {
  RescindError,
  SOURCE_EVENT_NAMES,
  eventType,
  parseEventTime,
  parseEventType,
  type CloudEvent,
  type SourceEventName,
} from '../contracts/index.js';
import { buildEvent, recordKey, toKafkaMessage, type EventInput } from './index.js';

const sample = (name: SourceEventName) =>
  JSON.parse(
    readFileSync(new URL(`../contracts/samples/${eventType(name)}.json`, import.meta.url), 'utf8'),
  ) as CloudEvent<SourceEventName> & {
    datacontenttype: string;
  };

const session = { iss: 'https://idp.example', sid: 's1', sub: 'u1' };
const built = (change: Partial<EventInput<'session.ended'>>) =>
  buildEvent('session.ended', { source: 'https://idp.example', data: session, ...change });

function errorOf(work: () => unknown): RescindError {
  try {
    work();
  } catch (error) {
    if (error instanceof RescindError) return error;
    throw error;
  }
  throw new Error('expected a RescindError');
}

describe('buildEvent', () => {
  it.each(SOURCE_EVENT_NAMES)('builds the frozen %s', (name) => {
    const { datacontenttype: _default, ...event } = sample(name);
    const { source, id, time, subject, data } = event;
    expect(
      buildEvent(name, { source, id, time, ...(subject === undefined ? {} : { subject }), data } as EventInput<
        typeof name
      >),
    ).toEqual(event);
  });

  it('fills in id and time', () => {
    const [first, second] = [built({}), built({})];
    expect(first.id).not.toBe(second.id);
    expect(parseEventTime(first.time)).toBeDefined();
    expect(built({ time: new Date(1_790_000_000_000) }).time).toBe('2026-09-21T14:13:20.000Z');
  });

  it('leaves out members that are undefined', () => {
    const event = buildEvent('user.disabled', { source: 's', data: { iss: 'i', sub: 'u', tenant: undefined } });
    expect(Object.keys(event.data)).toEqual(['iss', 'sub']);
  });

  it('names the member at fault', () => {
    const { iss: _iss, ...rest } = session;
    const error = errorOf(() => built({ data: { ...rest, issuer: 'x' } as never }));
    expect([error.code, error.detail]).toEqual(['invalid-event', 'session.ended: unknown member `issuer`']);
  });

  it.each<[string, Partial<EventInput<'session.ended'>>]>([
    ['an empty source', { source: '' }],
    ['an empty id', { id: '' }],
    ['a subject over 512 bytes', { subject: 'é'.repeat(257) }],
    ['a time that is none', { time: 'yesterday' }],
    ['an invalid date', { time: new Date(Number.NaN) }],
    ['a NUL', { data: { ...session, sub: 'a\0b' } }],
    ['a lone surrogate', { data: { ...session, sub: '\ud800' } }],
    ['an identifier too long', { data: { ...session, sub: 'a'.repeat(513) } }],
  ])('refuses %s', (_what, change) => expect(errorOf(() => built(change)).code).toBe('invalid-event'));

  it('refuses a token in any member, and does not repeat it', () => {
    const token = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ1MSJ9.c2lnbmF0dXJl';
    for (const change of [
      { data: { ...session, sid: token } },
      { subject: token },
      { data: { ...session, sub: `Bearer ${token}` } },
    ]) {
      const error = errorOf(() => built(change));
      expect(error.code).toBe('secret-in-event');
      expect(error.message).not.toContain(token);
    }
  });
});

describe('toKafkaMessage', () => {
  const event = built({ id: 'e1', time: '2026-09-21T14:13:20Z', subject: 'Zoë' });

  it('binary: attributes in headers, data as the value', () => {
    expect(toKafkaMessage(event, { mode: 'binary' })).toEqual({
      key: 'https://idp.example|s1',
      value: Buffer.from(JSON.stringify(session)),
      headers: {
        ce_specversion: '1.0',
        ce_type: 'dev.rescind.session.ended.v1',
        ce_source: 'https://idp.example',
        ce_id: 'e1',
        ce_time: '2026-09-21T14:13:20Z',
        ce_subject: 'Zoë',
        'content-type': 'application/json',
      },
    });
  });

  it('structured: one header, the whole event as the value', () => {
    const { headers, value } = toKafkaMessage(event, { mode: 'structured' });
    expect(headers).toEqual({ 'content-type': 'application/cloudevents+json; charset=UTF-8' });
    expect(JSON.parse(value.toString('utf8'))).toEqual({ ...event, datacontenttype: 'application/json' });
  });
});

describe('recordKey', () => {
  it.each<[SourceEventName, string]>([
    ['id-jag.issued', 'https://idp.acme.example|gr-01J9Z6Q4T8'],
    ['id-jag.denied', 'https://idp.acme.example|u-7f3a91'],
    ['token.issued', 'https://login.chat.example|at-91c2'],
    ['token.denied', 'https://idp.acme.example|gr-01J9Z6Q4T8'],
    ['access.allowed', 'https://login.chat.example|at-91c2'],
    ['session.ended', 'https://idp.acme.example|s-5f0c'],
    ['user.disabled', 'https://idp.acme.example|u-7f3a91'],
    ['client.enabled', 'https://idp.acme.example|wiki-at-idp'],
    ['connection.updated', 'https://idp.acme.example|wiki-at-idp'],
  ])('of %s is %s', (name, key) => expect(recordKey(sample(name))).toBe(key));

  it('is the digest where that is the identity', () => {
    const { data } = sample('token.revoked') as CloudEvent<'token.revoked'>;
    expect(recordKey(sample('token.revoked'))).toBe(data.sha256);
    expect(recordKey(sample('access.summary'))).toMatch(/^[\w-]{43}$/);
  });

  it.each<[string, string]>([
    ['session.ended.v1.all-of-user', 'https://idp.acme.example|u-7f3a91'],
    ['token.denied.v1.id-jag-by-subject', 'https://idp.acme.example|u-7f3a91'],
    ['token.issued.v1.id-jag-by-subject', 'https://login.chat.example|trrtag:3b0f4a1e-6a51-4d8e-9a52-0d7c1f2e9b01'],
  ])('of the form %s is %s', (form, key) => {
    const event = JSON.parse(
      readFileSync(new URL(`../contracts/samples/dev.rescind.${form}.json`, import.meta.url), 'utf8'),
    ) as CloudEvent;
    const { source, data } = event;
    const name = parseEventType(event.type)! as SourceEventName;
    expect(recordKey(buildEvent(name, { source, data: data as never }))).toBe(key);
  });

  it.each(SOURCE_EVENT_NAMES)('is never empty: %s', (name) => expect(recordKey(sample(name))).toMatch(/./));
});
