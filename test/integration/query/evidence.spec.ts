import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { buildEvent } from '../../../src/emit/index.js';
import {
  formatVerifierKey,
  parseEvidence,
  parseVerifierKey,
  verifierKey,
  verifyEvidence,
  type EvidenceFile,
} from '../../../src/merkle/index.js';
import { createRescindAdmin, type RescindAdmin } from '../../../src/sandbox/index.js';
import { cleanUp } from '../../support/cleanups.js';
import { startOwnRescind, type OwnRescind } from '../../support/rescind.js';
import { createCli } from '../registry/cli-fixture.js';

const IDP = 'https://idp.acme.example';
const COUNT = 1_100;

interface Entry {
  readonly state: string;
  readonly evidence?: EvidenceFile | null;
}

describe('evidence', () => {
  let own: OwnRescind;
  let admin: RescindAdmin;
  let auditor: string;
  /** A caller with `audit: {payloads: false}`. */
  let viewer: string;
  let stranger: string;
  let vkey: string;
  let directory: string;

  const cleanups = cleanUp(afterAll);
  beforeAll(async () => {
    own = await startOwnRescind(cleanups);
    directory = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-`));
    cleanups.push(() => rm(directory, { recursive: true, force: true }));
    admin = createRescindAdmin(own.rescind.url, own.rescind.adminKey!);
    const secretOf = async (id: string, roles: object, by = admin) =>
      (await by.post<{ secret: string }>('/v1/callers', { id, roles })).secret;
    await admin.post('/v1/sources', { name: 'idp', uri: IDP, types: ['session.ended'], issuers: [IDP] });
    auditor = await secretOf('auditor', { audit: {} });
    viewer = await secretOf('viewer', { audit: { payloads: false } });
    const made = await admin.post<{ admin: { secret: string } }>('/v1/tenants', { name: 'other' });
    stranger = await secretOf(
      'auditor-of-other',
      { audit: {} },
      createRescindAdmin(own.rescind.url, made.admin.secret),
    );
    const emitter = await secretOf('idp', { emit: { sources: ['idp'] } });
    for (let sent = 0; sent < COUNT; sent += 100) {
      const events = Array.from({ length: 100 }, (_, nth) =>
        buildEvent('session.ended', { source: IDP, data: { iss: IDP, sid: `s-${sent + nth}`, sub: 'alice' } }),
      );
      const answer = await fetch(`${own.rescind.url}/events`, {
        method: 'POST',
        headers: { authorization: `Bearer ${emitter}`, 'content-type': 'application/cloudevents-batch+json' },
        body: JSON.stringify(events),
      });
      expect(answer.status).toBe(200);
    }
    while ((await ask<Entry>(`/v1/entries/${COUNT}`)).body.state !== 'published')
      await new Promise((resolve) => setTimeout(resolve, 50));
    vkey = (await ask<{ keys: { key: string }[] }>('/v1/ledger')).body.keys[0]!.key;
  });

  const get = (path: string, key = auditor) =>
    fetch(`${own.rescind.url}${path}`, { headers: { authorization: `Bearer ${key}` } });
  async function ask<T>(path: string, key = auditor) {
    const answer = await get(path, key);
    return { status: answer.status, body: (await answer.json()) as T };
  }
  async function linesOf(path: string, key = auditor) {
    const answer = await get(path, key);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/x-ndjson']);
    return (await answer.text()).split(/(?<=\n)/).filter((line) => line !== '');
  }
  const holds = async (text: string) => {
    const steps = await verifyEvidence(text, [parseVerifierKey(vkey)!]);
    expect(steps.filter(({ ok }) => !ok)).toEqual([]);
    expect(steps.at(-1)!.step).toBe('source');
  };
  const indexOf = (text: string) => Number(parseEvidence(text)!.proof.index);

  it('stands beside the entry when it is asked for, and holds', async () => {
    for (const index of [0, 1, 255, 256, 700, COUNT]) {
      const { body } = await ask<Entry>(`/v1/entries/${index}?evidence=true`);
      const text = `${JSON.stringify(body.evidence)}\n`;
      await holds(text);
      expect(indexOf(text)).toBe(index);
      expect(parseEvidence(text)!.payload).not.toBeNull();
    }
    expect(Object.keys((await ask<Entry>('/v1/entries/5')).body)).not.toContain('evidence');
    expect((await ask('/v1/entries/5?evidence=maybe')).status).toBe(400);
  });

  it('is null until a checkpoint covers the entry', async () => {
    const client = await own.database.pool.connect();
    try {
      // The keeper waits for the row's lock, so what it has published stays as it is.
      await client.query('BEGIN');
      const { rows } = await client.query<{ size: string }>(
        'SELECT c.size FROM ledger_checkpoint c JOIN entry e ON e.tenant = c.tenant AND e.ix = $1 FOR UPDATE OF c',
        [COUNT],
      );
      const { size } = rows[0]!;
      await admin.post('/v1/callers', { id: 'late', roles: { audit: {} } });
      let answer: { status: number; body: Entry };
      do answer = await ask<Entry>(`/v1/entries/${size}?evidence=true`);
      while (answer.status === 404);
      expect(['sequenced', 'integrated']).toContain(answer.body.state);
      expect(answer.body.evidence).toBeNull();
      const refused = await ask<{ code: string; detail: string }>(`/v1/evidence?index=1&index=${size}`);
      expect([refused.status, refused.body.code]).toEqual([404, 'not-found']);
      expect(refused.body.detail).toContain(`covers ${size} entries`);
    } finally {
      await client.query('ROLLBACK');
      client.release();
    }
  });

  it('has no payload for callers that may see none, and archives are not for them', async () => {
    const { body } = await ask<Entry>(`/v1/entries/${COUNT}?evidence=true`, viewer);
    expect(body.evidence!.payload).toBeNull();
    await holds(`${JSON.stringify(body.evidence)}\n`);
    expect((await ask(`/v1/evidence?index=1`, viewer)).status).toBe(403);
    expect((await ask(`/v1/evidence?index=1`, 'rsk_nobody')).status).toBe(401);
  });

  it('of another tenant is that tenant’s', async () => {
    const lines = await linesOf('/v1/evidence', stranger);
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines)
      expect((await verifyEvidence(line, [parseVerifierKey(vkey)!])).at(-1)).toMatchObject({
        step: 'checkpoint',
        ok: false,
      });
    expect((await ask(`/v1/evidence?index=${COUNT}`, stranger)).status).toBe(404);
  });

  it('comes as an archive of named entries or of a window, in the order of the ledger', async () => {
    const some = await linesOf('/v1/evidence?index=300&index=2&index=300&index=1000');
    expect(some.map(indexOf)).toEqual([2, 300, 1000]);
    some.forEach(holds);
    const window = await linesOf('/v1/evidence?after_index=99&before_index=1100');
    expect(window.map(indexOf)).toEqual(Array.from({ length: 1000 }, (_, nth) => 100 + nth));
    window.forEach(holds);
    const { body } = await ask<Entry>('/v1/entries/300?evidence=true');
    const [line] = await linesOf('/v1/evidence?index=300');
    expect(parseEvidence(line!)!.entry).toEqual(parseEvidence(`${JSON.stringify(body.evidence)}\n`)!.entry);
  });

  it.each([
    ['the whole of a long ledger', '', 'invalid-request'],
    ['a window that is too long', 'after_index=99&before_index=1101', 'invalid-request'],
    ['an index with a zero in front', 'index=01', 'invalid-request'],
    ['an empty index', 'index=', 'invalid-request'],
    ['an index and a window', 'index=1&before_index=4', 'inconsistent-request'],
    ['an unknown parameter', 'indexes=1', 'invalid-request'],
    ['too many indexes', `${'index=1&'.repeat(1_001)}`, 'invalid-request'],
  ])('%s is refused', async (_case, query, code) => {
    const { status, body } = await ask<{ code: string }>(`/v1/evidence?${query}`);
    expect([status, body.code]).toEqual([400, code]);
  });

  it('says how far the ledger is published, and that nobody witnessed it', async () => {
    const { body } = await ask<Record<string, unknown>>('/v1/ledger');
    expect(body).toMatchObject({
      checkpoint: { origin: expect.stringContaining(`/${String(body['tenant'])}/1`), note: expect.any(String) },
      witnessed: null,
      witnesses: [],
    });
    const served = await fetch(`${own.rescind.url}/ledger/${String(body['tenant'])}/keys`);
    const { keys } = body as { keys: { key: string; since: string; until: null }[] };
    expect(keys).toMatchObject([{ key: vkey, until: null }]);
    expect(await served.text()).toBe(`${vkey} ${keys[0]!.since}\n`);
  });

  it('stands beside the growth of the ledger, whose times are arrivals of entries', async () => {
    const { body } = await ask<{ checkpoint: { size: string }; growth: { size: string; at: string }[] }>('/v1/ledger');
    const { checkpoint, growth } = body;
    const sizes = growth.map(({ size }) => Number(size));
    expect([sizes.length, sizes[0], sizes.at(-1)]).toEqual([61, 1, Number(checkpoint.size)]);
    const steps = sizes.slice(1).map((size, nth) => size - sizes[nth]!);
    expect(Math.max(...steps) - Math.min(...steps)).toBeLessThanOrEqual(1);
    for (const { size, at } of [growth[0]!, growth[30]!, growth.at(-1)!])
      expect((await ask<{ arrival: string }>(`/v1/entries/${Number(size) - 1}`)).body.arrival).toBe(at);
  });

  describe('on the command line', () => {
    const says: ReturnType<typeof createCli> = (args, options) => createCli(own.home)(args, options);
    const at = (name: string) => join(directory, name);

    it('is fetched into a new file, and verified without a service', async () => {
      const file = at('5.evidence.json');
      const asAuditor = { url: own.rescind.url, key: auditor };
      expect(await says(`evidence 5 --out ${file}`, asAuditor)).toEqual({ code: 0, out: '', err: '' });
      expect((await says(`evidence 5 --out ${file}`, asAuditor)).code).toBe(2);
      expect((await says('evidence 999999', asAuditor)).code).toBe(6);
      const offline = { url: 'http://127.0.0.1:1', more: { RESCIND_HOME: directory } };
      const { code, out, err } = await says(`verify ${file} --key ${vkey}`, offline);
      expect([code, err]).toEqual([0, '']);
      const marks = [...out.matchAll(/^ {2}(\S+) +(?:\S+ )/gm)].map(([, mark]) => mark);
      // No witness was named, and the event came unsigned.
      expect(marks).toEqual(['ok', 'ok', 'ok', 'ok', 'ok', 'ok', '–', '–']);
      expect(out).toMatch(/unwitnessed[^]*The evidence holds\.\n$/);
      const piped = await says(`verify - --key ${vkey} --json`, { ...offline, stdin: await readFile(file, 'utf8') });
      expect(JSON.parse(piped.out)).toMatchObject({ line: 1, ok: true });
    });

    it('names the first wrong thing, and exits with 1', async () => {
      const lines = await linesOf('/v1/evidence?index=3&index=4&index=5');
      const wrong = JSON.parse(lines[1]!) as { payload: { bytes: string } };
      wrong.payload.bytes = Buffer.from('{"sub":"mallory"}').toString('base64');
      await writeFile(at('archive.jsonl'), [lines[0], `${JSON.stringify(wrong)}\n`, lines[2]].join(''));
      const { code, out, err } = await says(`verify ${at('archive.jsonl')} --key ${vkey}`);
      expect([code, err]).toEqual([
        1,
        expect.stringMatching(/^rescind: line 2 does not hold. Not so: a payload in the file is the one/),
      ]);
      expect(out).toContain('WRONG');
      expect(out).toMatch(
        /^line 1 {2}ok [^]*^line 3 {2}ok [^]*^1 of 3 lines do not hold; the others: 2 entries between 3 and 5\.$/m,
      );
      await writeFile(at('whole.jsonl'), lines.join(''));
      expect(await says(`verify ${at('whole.jsonl')} --key ${vkey}`)).toMatchObject({
        code: 0,
        out: expect.stringMatching(/The evidence of 3 lines holds: every entry from 3 to 5\.\n$/),
      });
      await writeFile(at('cut.jsonl'), lines.join('').slice(0, -1));
      expect((await says(`verify ${at('cut.jsonl')} --key ${vkey}`)).code).toBe(1);
      await writeFile(at('empty.jsonl'), '');
      expect((await says(`verify ${at('empty.jsonl')} --key ${vkey}`)).code).toBe(1);
      const key = parseVerifierKey(vkey)!;
      const foreign = formatVerifierKey(verifierKey('log.example/other', 'ed25519', key.publicKey));
      const witness = formatVerifierKey(verifierKey('witness.example/w1', 'cosignature', key.publicKey));
      expect(await says(`verify ${at('whole.jsonl')} --key ${foreign}`)).toMatchObject({
        code: 1,
        err: expect.stringContaining('no key of this log'),
      });
      expect(await says(`verify ${at('whole.jsonl')} --key ${vkey} --witness ${witness}`)).toMatchObject({
        code: 1,
        err: expect.stringContaining('unwitnessed'),
      });
      for (const args of [`--key ${witness}`, `--key ${vkey} --witness ${vkey}`, '--key nonsense', ''])
        expect((await says(`verify ${at('whole.jsonl')} ${args}`)).code).toBe(2);
      expect((await says(`verify ${at('none')} --key ${vkey}`)).code).toBe(2);
    });

    it('shows the checkpoint', async () => {
      const { code, out } = await says('ledger', { url: own.rescind.url, key: auditor });
      expect(code).toBe(0);
      expect(out).toMatch(/^origin +rescind\.local\/[^]*\nsize +\d+\n[^]*\nage +\d+ s\nwitnessed +unwitnessed\nkey 1 /);
      expect(out).toContain(vkey);
      expect(out).not.toContain('NOT SIGNED');
    });
  });
});
