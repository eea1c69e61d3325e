import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { buildEvent } from '../../../src/emit/index.js';
import { createRescindAdmin, type RescindAdmin } from '../../../src/sandbox/index.js';
import {
  createFrontier,
  findSigners,
  leafHash,
  parseBundle,
  parseCheckpoint,
  parseNote,
  parseVerifierKey,
  type VerifierKey,
} from '../../../src/merkle/index.js';
import { cleanUp } from '../../support/cleanups.js';
import { startOwnRescind, type OwnRescind } from '../../support/rescind.js';

const IDP = 'https://idp.acme.example';

/** A stranger's view: nothing but the served bytes and the verifier keys. */
describe('a served ledger', () => {
  let own: OwnRescind;
  let admin: RescindAdmin;
  let tenant: string;
  /** An auditor of another tenant. */
  let stranger: string;
  let auditor: string;
  let emitter: string;

  const cleanups = cleanUp(afterAll);
  beforeAll(async () => {
    own = await startOwnRescind(cleanups);
    admin = createRescindAdmin(own.rescind.url, own.rescind.adminKey!);
    const secretOf = async (id: string, roles: object) =>
      (await admin.post<{ secret: string }>('/v1/callers', { id, roles })).secret;
    await admin.post('/v1/sources', { name: 'idp', uri: IDP, types: ['session.ended'], issuers: [IDP] });
    auditor = await secretOf('auditor', { audit: {} });
    emitter = await secretOf('idp', { emit: { sources: ['idp'] } });
    const { rows } = await own.database.pool.query<{ tenant: string }>('SELECT tenant FROM ledger_head');
    tenant = rows[0]!.tenant;
    const made = await admin.post<{ admin: { secret: string } }>('/v1/tenants', { name: 'other' });
    const { secret } = await createRescindAdmin(own.rescind.url, made.admin.secret).post<{ secret: string }>(
      '/v1/callers',
      { id: 'auditor-of-other', roles: { audit: {} } },
    );
    stranger = secret;
    for (let batch = 0; batch < 3; batch += 1) await emit(100);
    // The first checkpoint follows the first entry.
    while ((await get('checkpoint')).status === 404) await new Promise((resolve) => setTimeout(resolve, 50));
    await untilCovered();
  });

  async function emit(count: number): Promise<void> {
    const events = Array.from({ length: count }, (_, nth) =>
      buildEvent('session.ended', { source: IDP, data: { iss: IDP, sid: `s-${nth}`, sub: 'alice' } }),
    );
    const answer = await fetch(`${own.rescind.url}/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${emitter}`, 'content-type': 'application/cloudevents-batch+json' },
      body: JSON.stringify(events),
    });
    expect(answer.status).toBe(200);
  }

  const get = (path: string, { key, ...init }: RequestInit & { key?: string } = {}, of = tenant) =>
    fetch(`${own.rescind.url}/ledger/${of}/${path}`, {
      ...init,
      headers: { ...(key === undefined ? {} : { authorization: `Bearer ${key}` }), ...init.headers },
    });

  async function checkpoint() {
    const keys = (await (await get('keys')).text())
      .trim()
      .split('\n')
      .map((line) => parseVerifierKey(line.split(' ')[0]!)) as VerifierKey[];
    const note = parseNote(await (await get('checkpoint')).text())!;
    expect(findSigners(note, keys)!.size).toBe(1);
    return parseCheckpoint(note.text)!;
  }

  /** The ledger grows by Rescind's own entries too, so its length is asked for. */
  async function untilCovered(): Promise<bigint> {
    for (;;) {
      const { rows } = await own.database.pool.query<{ next_ix: string }>(
        'SELECT next_ix FROM ledger_head WHERE tenant = $1',
        [tenant],
      );
      const { size } = await checkpoint();
      if (size === BigInt(rows[0]!.next_ix)) return size;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  it('hashes to the root that its key signed', async () => {
    const size = await untilCovered();
    const { origin, root } = await checkpoint();
    expect(origin).toBe(`rescind.local/${tenant}/1`);
    const frontier = createFrontier(0n, []);
    for (let n = 0n; n * 256n < size; n += 1n) {
      const width = size - n * 256n < 256n ? `.p/${size - n * 256n}` : '';
      const path = `${String(n).padStart(3, '0')}${width}`;
      const bundle = await get(`tile/entries/${path}`, { key: auditor });
      const tile = await get(`tile/0/${path}`, { key: auditor });
      expect([bundle.status, tile.status]).toEqual([200, 200]);
      const hashes = parseBundle(Buffer.from(await bundle.arrayBuffer()))!.map((entry) => leafHash(entry));
      expect(Buffer.concat(hashes)).toEqual(Buffer.from(await tile.arrayBuffer()));
      for (const hash of hashes) frontier.append(hash);
    }
    expect({ size: frontier.size, root: frontier.root() }).toEqual({ size, root });
  });

  it('has types, caching and ETags as the specification says', async () => {
    const newest = await get('checkpoint');
    expect(newest.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(newest.headers.get('cache-control')).toBe('no-cache');
    const tile = await get('tile/0/000', { key: auditor });
    expect(
      Object.fromEntries(['content-type', 'cache-control', 'content-length'].map((n) => [n, tile.headers.get(n)])),
    ).toEqual({
      'content-type': 'application/octet-stream',
      'cache-control': 'private, max-age=31536000, immutable',
      'content-length': '8192',
    });
    const again = await get('tile/0/000', { key: auditor, headers: { 'if-none-match': tile.headers.get('etag')! } });
    expect([again.status, await again.text()]).toEqual([304, '']);
    const head = await get('tile/0/000', { key: auditor, method: 'HEAD' });
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '8192', '']);
    expect((await get('checkpoint', { method: 'POST' })).status).toBe(405);
  });

  it('shows tiles to auditors of its tenant alone, and checkpoints to everybody', async () => {
    expect((await get('tile/0/000')).status).toBe(401);
    expect((await get('tile/0/000', { key: 'rsk_nobody' })).status).toBe(401);
    expect((await get('tile/0/000', { key: emitter })).status).toBe(403);
    expect((await get('tile/0/000', { key: stranger })).status).toBe(404);
    expect((await get('tile/entries/000', { key: stranger })).status).toBe(404);
    expect((await get('checkpoint')).status).toBe(200);
    expect((await get('keys')).status).toBe(200);
  });

  it.each([
    'tile/0/999',
    'tile/0/000.p/0',
    'tile/0/000.p/256',
    'tile/0/099.p/255',
    'tile/1/000',
    'tile/63/000.p/1',
    'tile/64/000',
    'tile/0/x999/x999/x999/x999/x999/x999/999',
    'tile/0/%2e%2e/000',
    'tile/0/..%2f000',
    'tile/0/../../../../etc/passwd',
    'tile/0/000/',
    'tile//0/000',
    'checkpoint/',
    'checkpoint.witnessed',
    '2/checkpoint',
    '0/checkpoint',
    '01/checkpoint',
    '',
  ])('has no %j', async (path) => {
    expect((await get(path, { key: auditor })).status).toBe(404);
  });

  it('serves an incarnation under its number too', async () => {
    const [current, numbered] = await Promise.all([get('checkpoint'), get('1/checkpoint')]);
    expect(await numbered.text()).toContain((await current.text()).split('\n')[0]);
  });

  it('of a tenant that does not exist is not there', async () => {
    expect((await get('checkpoint', {}, '00000000-0000-4000-8000-000000000000')).status).toBe(404);
    expect((await get('checkpoint', {}, `${tenant.toUpperCase()}`)).status).toBe(404);
    expect((await get('checkpoint', {}, 'default')).status).toBe(404);
  });

  it('says of an entry when it is published', async () => {
    await untilCovered();
    expect(await admin.get('/v1/entries/0')).toMatchObject({ state: 'published' });
  });
});
