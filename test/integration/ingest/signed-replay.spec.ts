import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CloudEvent } from '../../../src/contracts/index.js';
import { cleanUp } from '../../support/cleanups.js';
import { batchOf, bodyOf, linesOf, manifestOf, setOf, sign } from '../../support/signed.js';
import { RAS } from '../../support/stage.js';
import {
  audience,
  BATCH,
  call,
  chat,
  database,
  entryAt,
  issued,
  keys,
  post,
  sequenced,
  SET,
  startSigned,
  stored,
  used,
} from './signed-fixture.js';

const cleanups = cleanUp(afterAll);
beforeAll(() => startSigned(cleanups));

describe('a refused event', () => {
  const newest = async (): Promise<any> => (await call('admin', 'GET', '/v1/quarantine')).body.items[0];
  const settings = (over: object) => {
    const { name: _name, uri: _uri, ...rest } = chat(over);
    return call('admin', 'PUT', '/v1/sources/chat', rest);
  };
  const replay = async (id: string) => call('admin', 'POST', `/v1/quarantine/${id}/replay`);

  it.each<[string, string, (event: CloudEvent) => Promise<[type: string, body: string]>]>([
    ['that came as a SET', 'set', async (event) => [SET, await setOf(keys['chat']!, event, audience)]],
    [
      'of a signed batch of which another was stored',
      'batch',
      async (event) => [BATCH, await batchOf(keys['chat']!, [used(), event], `${RAS}/chat`, audience)],
    ],
  ])('%s is replayed, its signature checked again', async (_, mode, write) => {
    await settings({ types: ['access.allowed'] });
    const [type, body] = await write(issued(`replayed-${mode}`));
    expect([(await post(type, body)).body].flat().at(-1)).toMatchObject({ error: 'type-not-allowed' });
    const { id, ...kept } = await newest();
    expect(kept).toMatchObject({ mode, code: 'type-not-allowed', whole: true });
    await settings({ jwks: { keys: [keys['ed']!.publicJwk] } });
    expect((await replay(id)).body).toMatchObject({ error: 'unknown-key' });
    await settings({});
    expect((await replay(id)).body).toMatchObject(sequenced);
  });

  it('of a signed batch of which nothing was stored is replayed, too', async () => {
    await settings({ types: ['access.allowed'] });
    await post(BATCH, await batchOf(keys['chat']!, [issued('alone')], `${RAS}/chat`, audience));
    const { id } = await newest();
    await settings({});
    const { body } = await replay(id);
    expect(body).toMatchObject(sequenced);
    expect((await entryAt(body.index)).payload.manifest).toEqual(expect.any(String));
  });

  it('of a signed batch is not replayed if the quarantine holds other bytes than were signed', async () => {
    await settings({ types: ['access.allowed'] });
    await post(BATCH, await batchOf(keys['chat']!, [issued('altered')], `${RAS}/chat`, audience));
    const { id } = await newest();
    await settings({});
    await database.pool.query(
      "UPDATE quarantine SET bytes = convert_to(replace(convert_from(bytes, 'UTF8'), 'chat.read', 'chat.root'), 'UTF8') WHERE id = $1",
      [id],
    );
    expect((await replay(id)).body).toMatchObject({ id, error: 'manifest-mismatch' });
  });

  it.each([3, 900])('in a signed batch of %d, refused whole, is replayed once its key is there', async (size) => {
    await settings({ jwks: { keys: [keys['ed']!.publicJwk] } });
    const many = Array.from({ length: size - 2 }, () => used());
    const events = [used(), issued(`in-a-whole-${size}`), ...many];
    const body = await batchOf(keys['chat']!, events, `${RAS}/chat`, audience);
    expect((await post(BATCH, body)).body).toMatchObject({ error: 'unknown-key' });
    const { id, text, ...kept } = await newest();
    expect(kept).toMatchObject({ mode: 'batch', code: 'unknown-key', whole: true, size: body.length });
    expect(text.length).toBeLessThanOrEqual(64 * 1024);
    expect((await replay(id)).body).toMatchObject({ id, error: 'unknown-key' });
    await settings({ types: ['access.allowed'] });
    const before = await stored();
    const replayed = (await replay(id)).body;
    expect(replayed).toEqual({
      id,
      batch: [sequenced, { error: 'type-not-allowed', detail: expect.any(String) }, ...many.map(() => sequenced)],
    });
    expect(await stored()).toBe(before + size - 1);
    // The one that was refused again is a record of its own; the batch is none any more.
    const left = await newest();
    expect([left.code, (await replay(id)).status]).toEqual(['type-not-allowed', 404]);
    await settings({});
    expect((await replay(left.id)).body).toMatchObject(sequenced);
    const again = (await post(BATCH, body)).body;
    expect(again.map(({ duplicate }: { duplicate?: true }) => duplicate)).toEqual(events.map(() => true));
  });

  it('in a signed batch that somebody altered stays refused, and one with a token in it is masked', async () => {
    await settings({ jwks: { keys: [keys['ed']!.publicJwk] } });
    const lines = linesOf([used(), used()]);
    const manifest = await manifestOf(keys['chat']!, `${RAS}/chat`, audience, lines);
    await post(
      BATCH,
      bodyOf(manifest, [lines[0]!, { ...lines[1]!, text: lines[1]!.text.replace('"read"', '"admin"') }]),
    );
    const { id } = await newest();
    await settings({});
    const before = await stored();
    expect((await replay(id)).body).toMatchObject({ id, error: 'manifest-mismatch' });
    expect(await stored()).toBe(before);

    await settings({ jwks: { keys: [keys['ed']!.publicJwk] } });
    const inner = await sign(keys['chat']!, 'at+jwt', { sub: 'alice' });
    await post(BATCH, await batchOf(keys['chat']!, [used({ subject: inner })], `${RAS}/chat`, audience));
    const { whole, text } = await newest();
    expect([whole, text.includes(inner.split('.')[1])]).toEqual([false, false]);
    await settings({});
  });

  it('with a token in it is masked, also in a SET', async () => {
    const inner = await sign(keys['chat']!, 'at+jwt', { sub: 'alice' });
    await post(SET, await setOf(keys['chat']!, used(), audience, { txn: inner }));
    const { code, whole, text } = await newest();
    expect([code, whole]).toEqual(['secret-in-event', false]);
    expect(text).not.toContain(inner.split('.')[1]);
  });
});
