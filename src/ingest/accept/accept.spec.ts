import { describe, expect, it } from '@jest/globals';
import {
  NOW_MS,
  NOW,
  IDP,
  RAS,
  API,
  token,
  access,
  said,
  onTopic,
  byCaller,
  base64,
  text,
  judge,
  say,
  binary,
} from '../../../test/support/arrivals/world.js';
import { buildEvent, toKafkaMessage } from '../../emit/index.js';
import { contentOf, kafkaMode, type Accepted, type Rejected } from './accept.js';

const content = (judged: Accepted | Rejected): string => {
  expect(judged).toMatchObject({ accepted: true });
  return contentOf(judged.arrived);
};

describe('accept takes', () => {
  it.each([
    ['a token event', () => say(said('token.issued', '2-chat', token()))],
    [
      'a refresh token for its own issuer',
      () => say(said('token.issued', '2-chat', token({ kind: 'refresh', aud: [RAS], exp: undefined }))),
    ],
    [
      'an event of a clock that is as far ahead as it may be',
      () =>
        say(
          said('token.issued', '2-chat', token({ iat: NOW + 300 }), { time: new Date(NOW_MS + 300_000).toISOString() }),
        ),
    ],
    ['an old event', () => say(said('access.allowed', '2-chat', access(), { time: '2000-01-01T00:00:00Z' }))],
    [
      'usage on a shared topic',
      () => say(said('access.allowed', '4-gate-a', access({ resource: ['https://a.example'] })), onTopic('gates')),
    ],
    [
      'a media type with parameters and capitals',
      () => binary([['content-type', 'Application/JSON; charset=UTF-8']], ['content-type']),
    ],
    ['a record without a content type', () => binary([], ['content-type'])],
    [
      'a record whose data is of a media type that ends in +json',
      () => binary([['content-type', 'application/vnd.chat+json; charset=utf-8']], ['content-type']),
    ],
    [
      'an event whose data is of a media type that ends in +json',
      () => say(said('token.issued', '2-chat', token(), { datacontenttype: 'application/vnd.chat+json' })),
    ],
    [
      'attributes that are null',
      () =>
        say(
          said('token.issued', '2-chat', token(), {
            subject: null,
            datacontenttype: null,
            data_base64: null,
            dataschema: null,
            partitionkey: null,
          }),
        ),
    ],
    [
      'a long text in a member that nobody reads',
      () => say(said('token.issued', '2-chat', token({ explanation: 'because '.repeat(1_000) }))),
    ],
    [
      'extensions, which are kept and not read',
      () => say(said('token.issued', '2-chat', token(), { partitionkey: 'at-1', traceparent: '00-1-2-01' })),
    ],
    ['an event over HTTP', () => say(said('token.issued', '2-chat', token()), byCaller('emitter'))],
    [
      'names with dots in them',
      () =>
        say(
          said(
            'token.issued',
            '2-chat',
            token({ jti: 'ewoks-friend.somedomain.example', client_id: 'monkeyBusiness-app.production.example' }),
          ),
        ),
    ],
    [
      'a path of dots and of beginnings of tokens',
      () => say(said('access.allowed', '2-chat', access({ path: `${'eyJ'.repeat(1_000)}/${'eyJ.'.repeat(1_000)}` }))),
    ],
    [
      'a path that is longer than an identifier',
      () => say(said('access.allowed', '2-chat', access({ path: '/x'.repeat(2000) }))),
    ],
  ])('%s', (_what, take) => expect(take()).toMatchObject({ accepted: true }));

  it('one content for an event in every mode', () => {
    const event = buildEvent('token.issued', {
      source: 'urn:source:2-chat',
      id: 'e-1',
      time: new Date(NOW_MS),
      subject: 'at-1',
      data: token(),
    });
    const contents = (['binary', 'structured'] as const).map((mode) => {
      const { value, headers } = toKafkaMessage(event, { mode });
      const arrived = Object.entries(headers).map(([name, header]) => [name, Buffer.from(header)] as const);
      expect(kafkaMode(arrived)).toBe(mode);
      return content(judge({ mode, headers: arrived, bytes: value }));
    });
    expect(new Set([...contents, content(say(event, byCaller('emitter')))]).size).toBe(1);
  });

  it('members that nobody reads: they belong to the content and not to what is read', () => {
    const more = {
      ...token({ agent: { id: 'a', vendor: 'x' }, id_jag: { iss: IDP, jti: 'gr-1', sub: 'alice', assurance: 2 } }),
      __proto__: null,
      later: { a: [1] },
    };
    const judged = say(said('token.issued', '2-chat', more)) as Accepted;
    expect(judged.event.data).toEqual(token({ agent: { id: 'a' } }));
    expect(JSON.parse(content(judged))).toMatchObject({
      data: { later: { a: [1] }, agent: { vendor: 'x' }, id_jag: { assurance: 2 } },
    });
    expect(judged.arrived.bytes.toString()).toContain('"assurance":2');
    expect(content(judged)).not.toBe(content(say(said('token.issued', '2-chat', token({ agent: { id: 'a' } })))));
  });

  it('one content for data that is encoded and data that is not, and commits to the bytes that came', () => {
    const event = said('token.issued', '2-chat', undefined, { data_base64: base64(token()) });
    const judged = say(event) as Accepted;
    expect(content(judged)).toBe(content(say(said('token.issued', '2-chat', token()))));
    expect(judged.event.data).toEqual(token());
    expect(judged.arrived.bytes).toEqual(text(event));
  });

  it('one content for an event in every spelling', () => {
    const time = new Date(NOW_MS - 1000).toISOString();
    const event = said('token.issued', '2-chat', token(), { time });
    const reversed = Object.fromEntries(
      Object.entries({ ...event, data: Object.fromEntries(Object.entries(token()).toReversed()) }).toReversed(),
    );
    const spellings = [
      JSON.stringify(event),
      JSON.stringify(event, null, 2),
      JSON.stringify(reversed),
      JSON.stringify({ ...event, time: time.replace('Z', '+00:00') }),
      JSON.stringify({ ...event, time: time.replace('T', 't').replace('.000Z', 'z') }),
      JSON.stringify({ ...event, partitionkey: 'advice' }),
      JSON.stringify({ ...event, subject: null }),
      JSON.stringify(event).replace('"at-1"', String.raw`"\u0061t-1"`),
      JSON.stringify(event).replace(`"iat":${NOW - 5}`, `"iat":${NOW - 5}.0`),
    ];
    expect(new Set(spellings.map((one) => content(say(one)))).size).toBe(1);
  });

  it('another content for another time, subject, id or claim', () => {
    const event = said('token.issued', '2-chat', token());
    const others = [
      {},
      { time: new Date(NOW_MS - 999).toISOString() },
      { subject: 'at-1' },
      { id: 'e-2' },
      { data: token({ scope: 'chat.write' }) },
    ];
    expect(new Set(others.map((over) => content(say({ ...event, ...over })))).size).toBe(others.length);
  });

  it('into the commitment, of a binary record, the headers that are attributes and the content type alone', () => {
    const judged = binary([
      ['x-trace', '1'],
      ['ce_partitionkey', 'k'],
    ]) as Accepted;
    expect(judged.attributes.map(([name]) => name).sort()).toEqual([
      'ce_id',
      'ce_partitionkey',
      'ce_source',
      'ce_specversion',
      'ce_time',
      'ce_type',
      'content-type',
    ]);
  });
});

describe('audiences of a token', () => {
  it.each<[string, string, object, object]>([
    ['foreign ones are not read', '2-chat', { aud: ['account', API] }, { aud: [API] }],
    [
      'foreign resources are not read',
      '2-chat',
      { resource: ['https://api.other.example'] },
      { aud: [API], resource: [] },
    ],
    ['an own resource stays', '2-chat', { resource: [API, 'x'] }, { aud: [API], resource: [API] }],
    ['a refresh token is for its RAS', '2-chat', { kind: 'refresh', aud: [RAS, 'account'] }, { aud: [RAS] }],
    ['without any the default resource counts', '7-realm', { aud: [] }, { aud: [API] }],
    ['with ignored ones alone the default resource counts', '7-realm', { aud: ['broker', 'account'] }, { aud: [API] }],
    ['a stated one counts before the default resource', '7-realm', { aud: ['account', API] }, { aud: [API] }],
  ])('%s', (_, name, over, read) => {
    const event = said('token.issued', name, token(over));
    const judged = say(event, onTopic(name)) as Accepted;
    expect(judged).toMatchObject({ accepted: true, event: { data: read } });
    expect(JSON.parse(content(judged))).toMatchObject({ data: event['data'] });
  });
});
