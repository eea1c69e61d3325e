import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { run } from '../../../src/cli/run.js';
import { startRescind, type RunningRescind } from '../../../src/main.js';
import { readConfig } from '../../../src/platform/index.js';
import { createTestDatabase, testLog, type TestDatabase } from '../../support/services.js';

const IDP = 'https://idp.acme.example';

describe('the command line, against a running service', () => {
  let database: TestDatabase;
  let home: string;
  let rescind: RunningRescind;

  beforeAll(async () => {
    database = await createTestDatabase();
    home = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-`));
    const config = readConfig({ RESCIND_HOME: home, PORT: '0', DATABASE_URL: database.url, KAFKA_BROKERS: 'none', LOG_LEVEL: 'silent' });
    rescind = await startRescind(config, { log: testLog() });
  });
  afterAll(async () => {
    await rescind.stop();
    await database.drop();
    await rm(home, { recursive: true, force: true });
  });

  async function rescindSays(args: string, { key, stdin = '', url }: { key?: string; stdin?: string; url?: string } = {}) {
    const written = { out: '', err: '' };
    const sink = (name: 'out' | 'err') =>
      new Writable({
        write(chunk: Buffer, _encoding, done) {
          written[name] += chunk.toString();
          done();
        },
      });
    const words = [...args.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!);
    const env = { RESCIND_HOME: home, RESCIND_URL: url ?? rescind.url, ...(key === undefined ? {} : { RESCIND_KEY: key }) };
    const code = await run(words, { env, out: sink('out'), err: sink('err'), stdin: Readable.from([stdin]) });
    return { code, ...written };
  }

  it('registers, emits, revokes and lifts', async () => {
    const source = await rescindSays(`source create idp --uri ${IDP} --as idp --issuer ${IDP}`);
    expect(source).toMatchObject({ code: 0, err: '', out: expect.stringMatching(/^topic +rescind\.events\.idp$/m) });
    expect(await rescindSays('source list')).toMatchObject({ code: 0, out: expect.stringMatching(/^NAME +URI +TOPIC/) });

    const caller = await rescindSays('caller create idp-events --emit idp --json');
    const { secret } = JSON.parse(caller.out) as { secret: string };
    const session = `{"iss":"${IDP}","sid":"s-1","sub":"alice"}`;
    expect(await rescindSays(`emit --type session.ended --source ${IDP} --id e-1 --data '${session}'`, { key: secret })).toEqual({
      code: 0,
      err: '',
      out: expect.stringMatching(/^e-1: sequenced at index \d+\n$/),
    });

    const ordered = await rescindSays(`revoke --user iss=${IDP},sub=alice --reason 'left the company' --json`);
    const { id } = JSON.parse(ordered.out) as { id: string };
    expect(await rescindSays('revoke list')).toMatchObject({ code: 0, out: expect.stringContaining('left the company') });
    expect(await rescindSays(`revoke lift ${id} --reason cleared`)).toMatchObject({ code: 0, out: expect.stringMatching(/^revoke +\S+$/m) });
    expect(await rescindSays(`revoke show ${id}`)).toMatchObject({ code: 0, out: expect.stringMatching(/^state +lifted$/m) });
    expect(await rescindSays('tenant create globex')).toMatchObject({ code: 0, out: expect.stringContaining('globex-admin') });
    expect(await rescindSays('tenant list')).toMatchObject({ code: 0, out: expect.stringMatching(/^globex/m) });
  });

  it('rotates a secret', async () => {
    await rescindSays('caller create rotated --audit');
    expect(await rescindSays('caller add-secret rotated')).toMatchObject({ code: 0, out: expect.stringMatching(/^secret +rsk_/m) });
    const { secrets } = JSON.parse((await rescindSays('caller show rotated --json')).out) as { secrets: { id: string }[] };
    expect(secrets).toHaveLength(2);
    expect(await rescindSays(`caller remove-secret rotated ${secrets[0]!.id}`)).toMatchObject({ code: 0 });
    expect(await rescindSays('caller disable rotated')).toMatchObject({ code: 0, out: expect.stringMatching(/^disabled +true$/m) });
  });

  it('sends events from a file and from the standard input, and says which were refused', async () => {
    const { secret } = JSON.parse((await rescindSays('caller create more-events --emit idp --json')).out) as { secret: string };
    const event = (id: string, iss = IDP) =>
      JSON.stringify({ specversion: '1.0', type: 'dev.rescind.session.ended.v1', source: IDP, id, time: new Date().toISOString(), data: { iss, sid: id, sub: 'a' } });
    const file = join(home, 'events.ndjson');
    await writeFile(file, `${event('f-1')}\n${event('f-2')}\n`);
    expect(await rescindSays(`emit ${file}`, { key: secret })).toMatchObject({ code: 0, out: expect.stringMatching(/^f-1: .*\nf-2: .*\n$/) });
    expect(await rescindSays('emit -', { key: secret, stdin: `[${event('f-3')},${event('f-4', 'https://other.example')}]` })).toEqual({
      code: 1,
      out: expect.stringMatching(/^f-3: sequenced at index \d+\nf-4: refused: wrong-issuer/),
      err: 'rescind: 1 of 2 events refused\n',
    });
  });

  it('says in a line that nobody answers', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await new Promise((resolve) => server.close(resolve));
    expect(await rescindSays('source list', { url })).toMatchObject({ code: 1, err: expect.stringMatching(/^rescind: no answer from .*: ECONNREFUSED .*\n$/) });
  });

  it.each<[string, { key?: string; url?: string }, number, RegExp]>([
    ['source show nobody', {}, 1, /^rescind: not-found: .*\n$/],
    ['source list', { key: 'rsk_wrong' }, 1, /^rescind: unauthenticated: .*\n$/],
    ['source list', { url: 'http://rescind.example' }, 2, /^rescind: use https.*\n$/],
    ['revoke --all --reason x', {}, 1, /^rescind: confirmation-required: .*\n$/],
    ['revoke --user alice --reason x', {}, 2, /^rescind: expected name=value.*\n$/],
    ['revoke --issuer https://a.example', {}, 2, /--reason/],
    ['source create x --as planet', {}, 2, /^rescind: --as is one of/],
    ['emit --type session.ended', {}, 2, /^rescind: name a file/],
    ['emit nowhere.json', {}, 2, /^rescind: nowhere\.json cannot be read \(ENOENT\)\n$/],
    ['source', {}, 2, /Usage/],
    ['conquer', {}, 2, /unknown command/],
  ])('says in a line what is wrong with: %s', async (args, options, code, err) => {
    const said = await rescindSays(args, options);
    expect(said.code).toBe(code);
    expect(said.err).toMatch(err);
    const adminKey = (await readFile(join(home, 'admin-key'), 'utf8')).trim();
    expect(said.err + said.out).not.toContain(adminKey);
  });
});
