import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { compactVerify, importJWK, type JWK } from 'jose';
import { commitment, parseAttributes } from '../../../src/merkle/index.js';
import { cleanUp } from '../../support/cleanups.js';
import { batchOf, bodyOf, claimsOf, digestOfLine, linesOf, manifestOf, setOf, sign } from '../../support/signed.js';
import { access, RAS } from '../../support/stage.js';
import {
  audience,
  BATCH,
  call,
  chat,
  database,
  entryAt,
  issued,
  keys,
  PLAIN,
  PLAIN_BATCH,
  post,
  secrets,
  sequenced,
  service,
  SET,
  startSigned,
  stored,
  used,
} from './signed-fixture.js';

const cleanups = cleanUp(afterAll);
beforeAll(() => startSigned(cleanups));

describe('a SET', () => {
  it.each(['chat', 'ed', 'rsa'])(
    'signed by the key %s is stored as it came, and a duplicate when it comes again',
    async (name) => {
      const set = await setOf(keys[name]!, used(), audience);
      const first = await post(SET, set);
      expect(first).toEqual({ status: 200, body: sequenced });
      const { payload } = await entryAt(first.body.index);
      expect(payload).toMatchObject({ mode: 'set', manifest: null, bytes: Buffer.from(set).toString('base64') });
      expect(await post(`${SET}; charset=utf-8`, set)).toEqual({
        status: 200,
        body: { duplicate: true, index: first.body.index },
      });
    },
  );

  it('says what the same event says in a batch, and something else than another event under its id', async () => {
    const event = used({ time: '2026-11-30T10:00:00.123Z', subject: 'wiki' });
    const over = { sub_id: { format: 'opaque', id: 'wiki' }, txn: 'tx-1' };
    const { index } = (await post(SET, await setOf(keys['chat']!, event, audience, over))).body;
    const source = `${RAS}/chat`;
    expect(await post(BATCH, await batchOf(keys['chat']!, [event], source, audience))).toEqual({
      status: 200,
      body: [{ duplicate: true, index }],
    });
    const other = { ...event, time: '2026-11-30T10:00:00.124Z' };
    expect(await post(SET, await setOf(keys['chat']!, other, audience, over))).toMatchObject({
      status: 409,
      body: { error: 'conflict' },
    });
    expect(await post(BATCH, await batchOf(keys['chat']!, [other], source, audience))).toMatchObject({
      body: [{ error: 'conflict' }],
    });
  });

  it('of a token is known to introspection, and its facts are what the claims say', async () => {
    const answer = await post(SET, await setOf(keys['chat']!, issued('in-a-set'), audience));
    expect(answer.body).toMatchObject(sequenced);
    const { rows } = await database.pool.query(`SELECT 1 FROM token WHERE ix = $1`, [answer.body.index]);
    expect(rows).toHaveLength(1);
  });

  it.each<[what: string, code: string, status: number, () => Promise<string> | string]>([
    ['by another key under the same kid', 'signature-invalid', 403, () => setOf(keys['forged']!, used(), audience)],
    ['by a key that the source does not have', 'unknown-key', 403, () => setOf(keys['other']!, used(), audience)],
    [
      'by the key of another source, for which the caller may not speak',
      'source-not-allowed',
      403,
      () => setOf(keys['other']!, used({ source: `${RAS}/other` }), audience),
    ],
    ['of no source', 'unknown-source', 403, () => setOf(keys['chat']!, used({ source: 'urn:nobody' }), audience)],
    [
      'without a signature',
      'signature-invalid',
      403,
      async () => {
        const [, claims] = (await setOf(keys['chat']!, used(), audience)).split('.');
        return `${encode({ alg: 'none', kid: 'chat-1', typ: 'secevent+jwt' })}.${claims}.`;
      },
    ],
    [
      'with `alg` none beside a signature',
      'signature-invalid',
      403,
      async () => {
        const [, claims, signature] = (await setOf(keys['chat']!, used(), audience)).split('.');
        return `${encode({ alg: 'none', kid: 'chat-1', typ: 'secevent+jwt' })}.${claims}.${signature}`;
      },
    ],
    [
      'by the public key as a shared secret',
      'signature-invalid',
      403,
      async () => {
        const k = Buffer.from(JSON.stringify(keys['chat']!.publicJwk)).toString('base64url');
        const secret = await importJWK({ kty: 'oct', k }, 'HS256');
        return sign(
          { alg: 'HS256', kid: 'chat-1', privateKey: secret as never },
          'secevent+jwt',
          claimsOf(used(), audience),
        );
      },
    ],
    [
      'with the algorithm of another key',
      'unknown-key',
      403,
      () => setOf({ ...keys['ed']!, kid: 'chat-1' }, used(), audience),
    ],
    [
      'for another tenant',
      'wrong-audience',
      403,
      () => setOf(keys['chat']!, used(), 'urn:rescind:0b7f8e4e-6c1c-4b7e-9b1e-000000000002'),
    ],
    [
      'for two audiences',
      'wrong-audience',
      403,
      () => setOf(keys['chat']!, used(), audience, { aud: [audience, 'urn:another'] }),
    ],
    ['for nobody', 'wrong-audience', 403, () => setOf(keys['chat']!, used(), audience, { aud: undefined })],
    ['with a key in its header', 'signature-invalid', 403, () => withHeader({ jwk: keys['chat']!.publicJwk })],
    ['with the URL of a key in its header', 'signature-invalid', 403, () => withHeader({ jku: 'https://a.example' })],
    ['with a certificate in its header', 'signature-invalid', 403, () => withHeader({ x5c: ['MIIB'] })],
    ['without `kid`', 'signature-invalid', 403, () => withHeader({ kid: undefined })],
    ['of another `typ`', 'signature-invalid', 403, () => withHeader({ typ: 'at+jwt' })],
    ['of the `typ` of a manifest', 'signature-invalid', 403, () => withHeader({ typ: 'rescind-batch+jwt' })],
    ['with a critical member', 'signature-invalid', 403, () => withHeader({ crit: ['b64'], b64: true })],
    [
      'signed in the future',
      'time-in-future',
      400,
      () => setOf(keys['chat']!, used(), audience, { iat: 4_000_000_000 }),
    ],
    ['without `iat`', 'signature-invalid', 403, () => setOf(keys['chat']!, used(), audience, { iat: undefined })],
    ['that expires', 'invalid-envelope', 400, () => setOf(keys['chat']!, used(), audience, { exp: 4_000_000_000 })],
    ['that is valid later', 'invalid-envelope', 400, () => setOf(keys['chat']!, used(), audience, { nbf: 1 })],
    [
      'without the time of its event',
      'invalid-envelope',
      400,
      () => setOf(keys['chat']!, used(), audience, { toe: undefined }),
    ],
    ['without an id', 'invalid-envelope', 400, () => setOf(keys['chat']!, used(), audience, { jti: undefined })],
    [
      'of two events',
      'invalid-envelope',
      400,
      () => {
        const events = {
          ...(claimsOf(used(), audience)['events'] as object),
          'https://rescind.dev/schemas/x.json': {},
        };
        return setOf(keys['chat']!, used(), audience, { events });
      },
    ],
    [
      'that holds a token',
      'secret-in-event',
      400,
      async () => {
        const inner = await sign(keys['chat']!, 'at+jwt', { sub: 'alice' });
        return setOf(keys['chat']!, used({ data: access({ path: `/a?t=${inner}` }) }), audience);
      },
    ],
    [
      'that holds a token in a claim that nobody reads',
      'secret-in-event',
      400,
      async () =>
        setOf(keys['chat']!, used(), audience, { txn: await sign(keys['chat']!, 'at+jwt', { sub: 'alice' }) }),
    ],
    [
      'of more than 256 KiB',
      'too-large',
      413,
      () => setOf(keys['chat']!, used({ data: { ...access(), more: 'x'.repeat(256 * 1024) } as never }), audience),
    ],
    ['that is no JWS', 'signature-invalid', 403, () => 'x.y'],
    ['whose bytes changed', 'signature-invalid', 403, () => respelled()],
  ])('%s is refused: %s', async (_, code, status, make) => {
    const before = await stored();
    expect(await post(SET, await make())).toMatchObject({ status, body: { error: code } });
    expect(await stored()).toBe(before);
  });

  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

  /** A SET under a header that jose itself would not sign by. */
  async function withHeader(over: object): Promise<string> {
    const { alg, kid, privateJwk } = keys['chat']!;
    const { createPrivateKey, sign: signBytes } = await import('node:crypto');
    const input = `${encode({ alg, kid, typ: 'secevent+jwt', ...over })}.${encode(claimsOf(used(), audience))}`;
    const key = createPrivateKey({ key: privateJwk as never, format: 'jwk' });
    return `${input}.${signBytes('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  }

  async function respelled(): Promise<string> {
    const [header, claims, signature] = (await setOf(keys['chat']!, used(), audience)).split('.');
    const said = JSON.parse(Buffer.from(claims!, 'base64url').toString());
    return `${header}.${encode({ ...said, jti: `${said.jti}-changed` })}.${signature}`;
  }
});

describe('a signed batch', () => {
  const source = `${RAS}/chat`;

  it.each(['chat', 'ed', 'rsa'])(
    'signed by the key %s is stored event by event, and a duplicate when it comes again',
    async (name) => {
      const events = [used(), issued(`b-${name}`), used()];
      const body = await batchOf(keys[name]!, events, source, audience);
      const first = await post(BATCH, body);
      expect(first).toEqual({ status: 200, body: [sequenced, sequenced, sequenced] });
      expect(await post(BATCH, body)).toEqual({
        status: 200,
        body: first.body.map(({ index }: { index: string }) => ({ duplicate: true, index })),
      });
    },
  );

  it('of a thousand events is stored, and one of a thousand and one is refused whole', async () => {
    const many = Array.from({ length: 1_001 }, () => used());
    const answer = await post(BATCH, await batchOf(keys['chat']!, many.slice(1), source, audience));
    expect(answer.body.filter(({ state }: { state?: string }) => state === 'sequenced')).toHaveLength(1_000);
    const before = await stored();
    expect(await post(BATCH, await batchOf(keys['chat']!, many, source, audience))).toMatchObject({
      status: 413,
      body: { error: 'too-large' },
    });
    expect(await stored()).toBe(before);
  });

  it('loses a bad event alone', async () => {
    const inner = await sign(keys['chat']!, 'at+jwt', { sub: 'alice' });
    const answer = await post(
      BATCH,
      await batchOf(
        keys['chat']!,
        [used(), '{"specversion":', used({ source: `${RAS}/other` }), used({ id: inner }), used()],
        source,
        audience,
      ),
    );
    expect(answer).toMatchObject({
      status: 200,
      body: [
        sequenced,
        { error: 'malformed-json' },
        { error: 'source-not-allowed' },
        { error: 'secret-in-event' },
        sequenced,
      ],
    });
  });

  it('does not carry the events of another source, although the caller may speak for both', async () => {
    const body = await batchOf(keys['chat']!, [used(), used({ source: `${RAS}/other` })], source, audience);
    expect((await post(BATCH, body, 'both')).body).toMatchObject([sequenced, { error: 'signature-invalid' }]);
  });

  it.each<[what: string, code: string, (lines: ReturnType<typeof linesOf>) => Promise<string>]>([
    [
      'with an event altered',
      'manifest-mismatch',
      async (lines) => {
        const manifest = await manifestOf(keys['chat']!, source, audience, lines);
        return bodyOf(manifest, [
          { ...lines[0]!, text: lines[0]!.text.replace('"read"', '"admin"') },
          ...lines.slice(1),
        ]);
      },
    ],
    [
      'with a salt altered',
      'manifest-mismatch',
      async (lines) => {
        const manifest = await manifestOf(keys['chat']!, source, audience, lines);
        return bodyOf(manifest, [{ ...lines[0]!, salt: lines[1]!.salt }, ...lines.slice(1)]);
      },
    ],
    [
      'with two events swapped',
      'manifest-mismatch',
      async (lines) => bodyOf(await manifestOf(keys['chat']!, source, audience, lines), lines.toReversed()),
    ],
    [
      'with an event missing',
      'manifest-mismatch',
      async (lines) => bodyOf(await manifestOf(keys['chat']!, source, audience, lines), lines.slice(0, 2)),
    ],
    [
      'with an event added',
      'manifest-mismatch',
      async (lines) =>
        bodyOf(await manifestOf(keys['chat']!, source, audience, lines), [...lines, ...linesOf([used()])]),
    ],
    [
      'with an event twice',
      'manifest-mismatch',
      async (lines) => bodyOf(await manifestOf(keys['chat']!, source, audience, lines), [...lines, lines[0]!]),
    ],
    [
      'without events',
      'manifest-mismatch',
      async () => bodyOf(await manifestOf(keys['chat']!, source, audience, []), []),
    ],
    [
      'whose manifest is another’s by the same kid',
      'signature-invalid',
      async (lines) => bodyOf(await manifestOf(keys['forged']!, source, audience, lines), lines),
    ],
    [
      'by a key that the source does not have',
      'unknown-key',
      async (lines) => bodyOf(await manifestOf(keys['other']!, source, audience, lines), lines),
    ],
    [
      'whose manifest has a key in its header',
      'signature-invalid',
      async (lines) =>
        bodyOf(await manifestOf(keys['chat']!, source, audience, lines, {}, { jwk: keys['chat']!.publicJwk }), lines),
    ],
    [
      'whose manifest has the `typ` of a SET',
      'signature-invalid',
      async (lines) =>
        bodyOf(await manifestOf(keys['chat']!, source, audience, lines, {}, { typ: 'secevent+jwt' }), lines),
    ],
    [
      'whose manifest is too large',
      'too-large',
      async (lines) =>
        bodyOf(await manifestOf(keys['chat']!, source, audience, lines, { more: 'x'.repeat(128 * 1024) }), lines),
    ],
    ['that is no batch', 'manifest-mismatch', async () => JSON.stringify([used()])],
    [
      'whose last line is cut off',
      'manifest-mismatch',
      async (lines) => bodyOf(await manifestOf(keys['chat']!, source, audience, lines), lines).slice(0, -1),
    ],
  ])('%s is refused whole: %s', async (_, code, make) => {
    const before = await stored();
    const { body } = await post(BATCH, await make(linesOf([used(), used(), used()])));
    expect(body).toMatchObject({ error: code });
    expect(await stored()).toBe(before);
  });

  it('for another tenant is refused event by event', async () => {
    const before = await stored();
    const body = await batchOf(keys['chat']!, [used(), used()], source, 'urn:rescind:another');
    expect((await post(BATCH, body)).body).toMatchObject([{ error: 'wrong-audience' }, { error: 'wrong-audience' }]);
    expect(await stored()).toBe(before);
  });
});

describe('a source that must sign', () => {
  it.each<[string, string, () => unknown]>([
    ['an event', PLAIN, () => used()],
    ['a batch', PLAIN_BATCH, () => [used()]],
    ['lines', 'application/x-ndjson', () => `${JSON.stringify(used())}\n`],
  ])('has %s that is not signed refused', async (_, type, make) => {
    const before = await stored();
    const { body } = await post(type, make());
    expect([body].flat()).toMatchObject([{ error: 'signature-required' }]);
    expect(await stored()).toBe(before);
  });

  it('has an unsigned event in binary mode refused', async () => {
    const { data, specversion, ...rest } = used();
    const attributes = Object.entries({ specversion, ...rest }).map(([name, value]) => [`ce-${name}`, String(value)]);
    const response = await fetch(new URL('/events', service.url), {
      method: 'POST',
      headers: {
        authorization: `Bearer ${secrets['emitter']}`,
        'content-type': 'application/json',
        ...Object.fromEntries(attributes),
      },
      body: JSON.stringify(data),
    });
    expect([response.status, await response.json()]).toMatchObject([403, { error: 'signature-required' }]);
  });

  it.each<[string, object]>([
    ['without keys', { jwks: undefined }],
    [
      'whose keys have no `kid`',
      { jwks: { keys: [{ kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }] } },
    ],
  ])('is not registered %s', async (_, over) => {
    const answer = await call('admin', 'POST', '/v1/sources', chat({ name: 'keyless', uri: 'urn:keyless', ...over }));
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid-request' } });
  });

  it('must sign until a change of it states otherwise', async () => {
    const { name: _name, uri: _uri, signature: _signature, ...unstated } = chat();
    const changed = await call('admin', 'PUT', '/v1/sources/chat', unstated);
    expect(changed).toMatchObject({ status: 200, body: { signature: 'required' } });
    expect((await post(PLAIN, used())).body).toMatchObject({ error: 'signature-required' });
    const { jwks: _jwks, ...keyless } = unstated;
    expect(await call('admin', 'PUT', '/v1/sources/chat', keyless)).toMatchObject({ status: 400 });
    await call('admin', 'PUT', '/v1/sources/chat', { ...unstated, signature: 'optional' });
    expect((await post(PLAIN, used())).body).toMatchObject(sequenced);
    // An optional one stays optional, too.
    expect((await call('admin', 'PUT', '/v1/sources/chat', unstated)).body).toMatchObject({ signature: 'optional' });
    await call('admin', 'PUT', '/v1/sources/chat', { ...unstated, signature: 'required' });
  });

  it('signs by its keys of this moment alone', async () => {
    const retired = await setOf(keys['chat']!, used(), audience);
    const { name: _name, uri: _uri, ...settings } = chat({ jwks: { keys: [keys['ed']!.publicJwk] } });
    await call('admin', 'PUT', '/v1/sources/chat', settings);
    expect((await post(SET, retired)).body).toMatchObject({ error: 'unknown-key' });
    await call('admin', 'PUT', '/v1/sources/chat', { ...settings, jwks: chat().jwks });
    expect((await post(SET, retired)).body).toMatchObject(sequenced);
  });
});

/** Keys that entries `source.changed` of the ledger name for the source. */
async function recordedKeys(source: string): Promise<{ index: string; change: string; keys: JWK[] }[]> {
  const { rows } = await database.pool.query<{ ix: string; bytes: Buffer }>(
    `SELECT ix, bytes FROM entry JOIN payload USING (tenant, ix) WHERE type = 'dev.rescind.source.changed.v1' ORDER BY ix`,
  );
  return rows.flatMap(({ ix, bytes }) => {
    const { id, change, after } = JSON.parse(bytes.toString()).data;
    return id === source ? [{ index: ix, change, keys: after.jwks?.keys ?? [] }] : [];
  });
}

describe('an auditor', () => {
  const idOf = async (name: string): Promise<string> => (await call('admin', 'GET', `/v1/sources/${name}`)).body.id;

  it('verifies a SET by the entries of the ledger alone', async () => {
    const event = used();
    const { index } = (await post(SET, await setOf(keys['chat']!, event, audience))).body;
    const { payload } = await entryAt(index);
    const key = (await recordedKeys(await idOf('chat'))).at(-1)!.keys.find(({ kid }) => kid === 'chat-1')!;
    const verified = await compactVerify(
      Buffer.from(payload.bytes, 'base64').toString(),
      await importJWK(key, 'ES256'),
    );
    expect(JSON.parse(Buffer.from(verified.payload).toString())).toMatchObject({ jti: event.id, aud: audience });
  });

  it('verifies an event of a batch by its entry, its place in the manifest and the key', async () => {
    const events = [used(), used(), used()];
    const results = (await post(BATCH, await batchOf(keys['chat']!, events, `${RAS}/chat`, audience))).body;
    const { payload, commitment: committed } = await entryAt(results[1].index);
    const [attributes, bytes] = [payload.attributes, payload.bytes].map((text) => Buffer.from(text, 'base64'));
    expect(commitment({ salt: Buffer.from(payload.salt, 'base64'), attributes: attributes!, bytes: bytes! })).toEqual(
      Buffer.from(committed, 'base64'),
    );
    const stated = new Map(parseAttributes(attributes!)!);
    expect([...stated.keys()]).toEqual(['content-type', 'rescind-manifest', 'rescind-position', 'rescind-salt']);
    const key = (await recordedKeys(await idOf('chat'))).at(-1)!.keys.find(({ kid }) => kid === 'chat-1')!;
    const { payload: claims } = await compactVerify(payload.manifest, await importJWK(key, 'ES256'));
    const { elements } = JSON.parse(Buffer.from(claims).toString());
    const line = { salt: stated.get('rescind-salt')!.toString('base64url'), text: bytes!.toString() };
    expect(elements[Number(stated.get('rescind-position')!.toString())]).toBe(digestOfLine(line));
    expect(JSON.parse(line.text)).toEqual(events[1]);
  });

  it('finds no name in a manifest', async () => {
    const { rows } = await database.pool.query<{ jws: string }>('SELECT jws FROM signed_manifest');
    for (const { jws } of rows) {
      const claims = JSON.parse(Buffer.from(jws.split('.')[1]!, 'base64url').toString());
      expect(Object.keys(claims).sort()).toEqual(['aud', 'elements', 'iat', 'iss']);
      for (const digest of claims.elements) expect(digest).toMatch(/^[A-Za-z0-9_-]{43}$/);
    }
    expect(rows.length).toBeGreaterThan(0);
  });
});

describe('keys at a URI', () => {
  let server: Server | undefined;
  let served: JWK[] | undefined;

  beforeAll(async () => {
    server = createServer((_, res) => {
      res.statusCode = served ? 200 : 500;
      res.end(JSON.stringify({ keys: served ?? [] }));
    });
    await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => new Promise<void>((resolve) => void server!.close(() => resolve())));
  });

  const remote = async (name: string): Promise<{ id: string; source: string }> => {
    const { port } = server!.address() as AddressInfo;
    const source = `${RAS}/${name}`;
    const { id } = (
      await call('admin', 'POST', '/v1/sources', {
        ...chat({ name, uri: source, jwks: undefined }),
        jwks_uri: `http://127.0.0.1:${port}/jwks`,
      })
    ).body;
    secrets[name] = (
      await call('admin', 'POST', '/v1/callers', { id: name, roles: { emit: { sources: [name] } } })
    ).body.secret;
    return { id, source };
  };

  it('are recorded once, before what they verified', async () => {
    served = [keys['chat']!.publicJwk];
    const { id, source } = await remote('remote');
    const first = await post(SET, await setOf(keys['chat']!, used({ source }), audience), 'remote');
    await post(SET, await setOf(keys['chat']!, used({ source }), audience), 'remote');
    const fetched = (await recordedKeys(id)).filter(({ change }) => change === 'keys-fetched');
    expect(fetched).toEqual([
      { index: expect.any(String), change: 'keys-fetched', keys: [expect.objectContaining({ kid: 'chat-1' })] },
    ]);
    expect(BigInt(fetched[0]!.index)).toBeLessThan(BigInt(first.body.index));
    expect(fetched[0]!.keys[0]).not.toHaveProperty('d');
  });

  it('are recorded whenever they change, also back to keys that were recorded before', async () => {
    served = [keys['chat']!.publicJwk];
    const { id, source } = await remote('rotating');
    const changes = async () =>
      (await recordedKeys(id))
        .filter(({ change }) => change === 'keys-fetched')
        .map(({ keys: set }) => set.map(({ kid }) => kid));
    const [before, after] = [[keys['chat']!.publicJwk], [keys['ed']!.publicJwk]];
    for (const [set, key] of [
      [before, 'chat'],
      [after, 'ed'],
      [before, 'chat'],
      [after, 'ed'],
    ] as const) {
      served = [...set];
      // A set is fetched for an unknown key, at most once a second.
      for (;;) {
        const { body } = await post(SET, await setOf(keys[key]!, used({ source }), audience), 'rotating');
        if (body.error !== 'unknown-key') {
          expect(body).toEqual(sequenced);
          break;
        }
      }
      await post(SET, await setOf(keys[key]!, used({ source }), audience), 'rotating');
    }
    expect(await changes()).toEqual([['chat-1'], ['chat-ed'], ['chat-1'], ['chat-ed']]);
  });

  it('that cannot be fetched keep an event waiting and do not refuse it', async () => {
    served = undefined;
    const { source } = await remote('away');
    const event = used({ source });
    expect(await post(SET, await setOf(keys['chat']!, event, audience), 'away')).toMatchObject({
      status: 503,
      body: { code: 'keys-unavailable' },
    });
    expect(await post(BATCH, await batchOf(keys['chat']!, [event], source, audience), 'away')).toMatchObject({
      status: 503,
      body: { code: 'keys-unavailable' },
    });
  });
});
