import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { API, IDP, OTHER_API, OTHER_RAS, RAS, tokenFacts } from '../../conformance/parties.js';
import { digestOf } from '../../conformance/signing.js';
import { askToken, openStream, selects, type Rescind, type Stream, type StreamOptions } from './feed-client.js';
import {
  CHAT_SOURCE,
  FILES_API,
  GUARD,
  INTROSPECTOR,
  registered,
  startFeedService,
  WIDE_GUARD,
  type FeedService,
} from './feed-service.js';

let service: FeedService;
let streams: Stream[] = [];
beforeAll(async () => {
  service = await startFeedService();
});
afterAll(() => service.stop());
afterEach(() => {
  for (const stream of streams) stream.close();
  streams = [];
});

async function open(caller: string, options: Omit<StreamOptions, 'authorization'> = {}): Promise<Stream> {
  const stream = await openStream(service.url, { authorization: service.basic(caller), ...options });
  streams.push(stream);
  if (stream.status === 200) await stream.next(({ event }) => event === 'start');
  return stream;
}

/** Events that the stream received after its start, up to `seq`. Rescind's own ledger entries are no control records and do not come. */
async function heard(stream: Stream, seq: string): Promise<readonly string[]> {
  await stream.next(({ id }) => id === BigInt(seq));
  return stream.events.slice(1).map(({ event }) => event);
}

const user = (sub: string): object => ({ user: { iss: RAS, sub } });

describe('the stream of a guard', () => {
  it('begins with its position and the keys that it is complete for, which name nothing', async () => {
    const [narrow, wide] = [await open(GUARD), await open(WIDE_GUARD)];
    expect([narrow, wide].map(({ events }) => (events[0]!.data['interest'] as string[]).length)).toEqual([2, 5]);
    expect(wide.events[0]!.data['interest']).toEqual(
      expect.arrayContaining(narrow.events[0]!.data['interest'] as string[]),
    );
    expect(JSON.stringify(wide.events[0]!.data)).not.toContain('https:');
    expect((await open(GUARD, { query: '?also=*' })).events[0]!.data['interest']).toBe('*');
  });

  it('sends every rule that can concern the guard, and only the arrival of other rules', async () => {
    const [narrow, wide, all] = [await open(GUARD), await open(WIDE_GUARD), await open(GUARD, { query: '?also=*' })];
    await service.order(user('u-1'));
    await service.order({ resource: OTHER_API, ...user('u-1') });
    await service.order({ resource: API, client: { iss: RAS, client_id: 'somebody-at-chat' } });
    const { id } = await service.order({ resource: OTHER_RAS });
    const lifted = await service.call<{ seq: string; revoke?: string }>(
      'POST',
      `/v1/revocations/${id}/lift`,
      'security',
      { reason: 'spec', resume: true },
    );
    expect(await heard(narrow, lifted.seq)).toEqual(['rule', 'seq', 'rule', 'seq', 'seq']);
    expect(await heard(wide, lifted.seq)).toEqual(['rule', 'rule', 'rule', 'rule', 'seq']);
    expect(await heard(all, lifted.seq)).toEqual(['rule', 'rule', 'rule', 'rule', 'seq']);
  });

  it('sends the rules of a resource beyond its role too, if it is given the key of that resource', async () => {
    const wanted = (await open(WIDE_GUARD)).events[0]!.data['interest'] as string[];
    const own = (await open(GUARD)).events[0]!.data['interest'] as string[];
    const also = wanted.filter((key) => !own.includes(key)).join(',');
    const stream = await open(GUARD, { query: `?also=${also}` });
    expect(new Set(stream.events[0]!.data['interest'] as string[])).toEqual(new Set(wanted));
    const { seq } = await service.order({ resource: OTHER_API, ...user('u-2') });
    expect(await heard(stream, seq)).toEqual(['rule']);
  });

  it('continues after the id in the header, which counts before the one in the URL', async () => {
    const first = await service.order(user('u-3'));
    const second = await service.order(user('u-4'));
    const stream = await open(GUARD, { query: '?after=1', lastEventId: first.seq });
    expect(stream.events[0]!.data['seq']).toBe(first.seq);
    expect(await heard(stream, second.seq)).toEqual(['rule']);
  });

  it('says that everything must be asked again when a source or the guard’s own caller changes', async () => {
    const [stream, other] = [await open(GUARD), await open(WIDE_GUARD)];
    await service.admin('PUT', '/v1/sources/chat', {
      ...registered(CHAT_SOURCE),
      profile: { lineage: 'stated', max_token_lifetime: 80_000, skew: 5, typ: 'at+jwt', algorithms: ['ES256'] },
    });
    await service.admin('PUT', '/v1/sources/chat', registered(CHAT_SOURCE));
    await stream.next(({ event }) => event === 'forget', 2);
    await service.admin('POST', `/v1/callers/${GUARD}/secrets`);
    await stream.next(({ event }) => event === 'forget', 3);
    const { seq } = await service.order(user('u-5'));
    expect(await heard(stream, seq)).toEqual(['forget', 'forget', 'forget', 'rule']);
    expect(await heard(other, seq)).toEqual(['forget', 'forget', 'seq', 'rule']);
  });
});

async function issueElsewhere(): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  await service.emit(
    'crm',
    'token.issued',
    tokenFacts(now, { iss: OTHER_RAS, aud: [OTHER_API], sha256: digestOf('at_crm') }),
  );
  expect((await askToken(service.url, service.basic(WIDE_GUARD), { token: 'at_crm' })).body['active']).toBe(true);
  return 'at_crm';
}

describe('the first sight of a token', () => {
  const ask = (token: string, caller = GUARD, form: Readonly<Record<string, string>> = {}) =>
    askToken(service.url, service.basic(caller), { token, ...form });

  it('is the answer of introspection, with the data that the guard needs to repeat it', async () => {
    const token = await service.issue({ sub: 'u-seen' });
    const { status, body } = await ask(token);
    const { rescind, ...rest } = body as { rescind: Rescind };
    expect([status, rest]).toEqual([200, await service.introspect(token)]);
    expect(Object.keys(rescind)).toEqual(['seq', 'keep_ms', 'shape_sets', 'outside']);
    expect([rescind.keep_ms, rescind.outside, rescind.shape_sets.length]).toEqual([600_000, false, 9]);
    const stream = await open(GUARD);
    expect(rescind.seq).toBe(String(stream.held));
    const { seq } = await service.order({ user: { iss: IDP, sub: 'idp-u-seen' }, resource: API });
    const rule = await stream.next(({ id }) => id === BigInt(seq));
    expect(selects(rule.data, rescind)).toBe(true);
    expect((await ask(token)).text).toBe('{"active":false,"rescind":{"recorded":true}}');
  });

  it('says if its token is for a resource beyond the role too', async () => {
    const token = await service.issue({ sub: 'u-outside', aud: [API, FILES_API] });
    await service.register('narrow', { guard: { resources: [API], issuers: [RAS] } });
    expect((await ask(token, 'narrow')).body['rescind']).toMatchObject({ outside: true });
    expect((await ask(token, WIDE_GUARD)).body['rescind']).toMatchObject({ outside: false });
  });

  it('is refused while the node has not applied what the guard has', async () => {
    const token = await service.issue({ sub: 'u-ahead' });
    const ahead = await ask(token, GUARD, { held: '999999' });
    expect([ahead.status, ahead.text, ahead.headers.get('retry-after')]).toEqual([503, '{"error":"behind"}', '1']);
    expect(
      (await ask(token, GUARD, { held: ((await ask(token)).body as { rescind: Rescind }).rescind.seq })).status,
    ).toBe(200);
  });

  it.each<[string, () => Promise<string>]>([
    ['unknown', async () => 'at_unknown'],
    ['for another resource', async () => service.issue({ aud: [FILES_API] })],
    ['of another issuer', issueElsewhere],
  ])('%s: the same inactive bytes as introspection', async (_, issue) => {
    const answered = await ask(await issue());
    expect([answered.status, answered.text]).toEqual([200, '{"active":false}']);
  });

  it('gets a caller without the role the same answer as introspection', async () => {
    const token = await service.issue({ sub: 'u-no-role' });
    const basic = await ask(token, INTROSPECTOR);
    expect([basic.status, basic.text]).toEqual([200, '{"active":false}']);
    const bearer = await askToken(service.url, `Bearer ${service.secret(INTROSPECTOR)}`, { token });
    expect([bearer.status, bearer.body]).toEqual([401, { error: 'insufficient_scope' }]);
  });
});

const secretIn = (text: string): string => /"(rsk_[^"]+)"/.exec(text)![1]!;

describe('another tenant', () => {
  it('sees neither rules nor tokens of this tenant, whatever it asks for', async () => {
    const secret = secretIn(JSON.stringify(await service.admin('POST', '/v1/tenants', { name: 'globex' })));
    const admin = async (path: string, body: object): Promise<string> => {
      const response = await fetch(service.url + path, {
        method: 'POST',
        headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      const text = await response.text();
      expect([response.status, text]).toEqual([201, text]);
      return text;
    };
    await admin('/v1/sources', {
      name: 'globex-chat',
      uri: 'https://globex.example',
      types: ['token.issued'],
      issuers: ['https://globex.example'],
      resources: [API],
    });
    const theirs = secretIn(
      await admin('/v1/callers', {
        id: 'globex-guard',
        roles: { guard: { resources: [API], issuers: ['https://globex.example'] } },
      }),
    );
    const authorization = `Bearer ${theirs}`;
    const ours = await open(GUARD);
    const stolen = (ours.events[0]!.data['interest'] as string[]).join(',');
    for (const query of ['', `?also=${stolen}`, '?also=*']) {
      const stream = await openStream(service.url, { authorization, query });
      streams.push(stream);
      await stream.next(({ event }) => event === 'start');
      const { seq } = await service.order(user(`u-globex-${query.length}`));
      expect(await heard(stream, seq)).toEqual(['seq']);
    }
    const token = await service.issue({ sub: 'u-ours' });
    expect((await askToken(service.url, service.basic(GUARD), { token })).body['active']).toBe(true);
    expect((await askToken(service.url, authorization, { token })).text).toBe('{"active":false}');
  });
});
