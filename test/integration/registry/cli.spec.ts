import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startRescind, type RunningRescind } from '../../../src/main.js';
import { readConfig } from '../../../src/platform/config/index.js';
import { cleanUp } from '../../support/cleanups.js';
import { startOwnRescind } from '../../support/rescind.js';
import { testLog, type TestDatabase } from '../../support/services.js';
import { createCli } from './cli-fixture.js';

const IDP = 'https://idp.acme.example';

describe('the command line, against a running service', () => {
  let database: TestDatabase;
  let home: string;
  let rescind: RunningRescind;

  const cleanups = cleanUp(afterAll);
  beforeAll(async () => {
    ({ rescind, database, home } = await startOwnRescind(cleanups));
  });

  const rescindSays: ReturnType<typeof createCli> = (args, options) => createCli(home)(args, options);

  it('registers, emits, revokes and lifts', async () => {
    const source = await rescindSays(`source create idp --uri ${IDP} --as idp --issuer ${IDP}`);
    expect(source).toMatchObject({ code: 0, err: '', out: expect.stringMatching(/^topic +rescind\.events\.idp$/m) });
    expect(await rescindSays('source list')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^NAME +URI +TOPIC/),
    });

    const caller = await rescindSays('caller create idp-events --emit idp --json');
    const { secret } = JSON.parse(caller.out) as { secret: string };
    const session = `{"iss":"${IDP}","sid":"s-1","sub":"alice"}`;
    expect(
      await rescindSays(`emit --type session.ended --source ${IDP} --id e-1 --data '${session}'`, { key: secret }),
    ).toEqual({
      code: 0,
      err: '',
      out: expect.stringMatching(/^e-1: sequenced at index \d+\n$/),
    });

    const ordered = await rescindSays(`revoke --user iss=${IDP},sub=alice --reason 'left the company' --json`);
    expect(ordered).toMatchObject({ code: 0, err: '' });
    const { id } = JSON.parse(ordered.out) as { id: string };
    expect(await rescindSays('revoke list')).toMatchObject({
      code: 0,
      out: expect.stringContaining('left the company'),
    });
    expect(await rescindSays(`revoke lift ${id} --reason cleared`)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^revoke +\S+$/m),
    });
    expect(await rescindSays(`revoke show ${id}`)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^state +lifted$/m),
    });
    expect(await rescindSays(`revoke show ${id}`)).toMatchObject({
      out: expect.stringMatching(
        /^ended +lifted at 20\S+Z by admin; what was granted until 20\S+Z stays revoked, by rule \S+$/m,
      ),
    });
    expect(await rescindSays('tenant create globex')).toMatchObject({
      code: 0,
      out: expect.stringContaining('globex-admin'),
    });
    expect(await rescindSays('tenant list')).toMatchObject({ code: 0, out: expect.stringMatching(/^globex/m) });
  });

  it('registers a source with the token profile of a product, and with changes to it', async () => {
    const profileOf = async (name: string, profile: string): Promise<unknown> => {
      const said = await rescindSays(
        `source create ${name} --uri urn:${name} --as authorization-server --issuer https://${name}.example --resource ${name}-api --profile ${profile} --json`,
      );
      return said.code === 0 ? (JSON.parse(said.out) as { profile: unknown }).profile : said.err;
    };
    expect(await profileOf('realm', 'keycloak')).toMatchObject({
      typ: ['JWT', 'at+jwt'],
      lineage: { id_jag: 'stated', other: 'none' },
      ignored_audiences: ['account'],
    });
    expect(
      await profileOf('hydra', `'{"preset":"hydra","default_resource":"hydra-api","lineage":"stated"}'`),
    ).toMatchObject({ typ: ['JWT'], default_resource: 'hydra-api', lineage: { id_jag: 'stated', other: 'stated' } });
    expect(await profileOf('okta', `'{"preset":"okta","announced":"optional"}'`)).toMatchObject({
      typ: [null],
      announced: 'optional',
      lineage: { other: 'none' },
    });
    expect(await profileOf('octo', 'octo')).toMatch(/`profile\.preset` must be one of rfc9068, keycloak, okta/);
    expect(await profileOf('odd', `'{"typ":["JWT"'`)).toMatch(/--profile/);
  });

  it('shows a team that connects a source what came, what was refused, and what to do', async () => {
    const RAS = 'https://login.chat.example';
    await rescindSays(
      `source create chat --uri ${RAS} --as authorization-server --as resource-server --issuer ${RAS} --resource https://api.chat.example`,
    );
    const { secret } = JSON.parse((await rescindSays('caller create chat-events --emit chat --json')).out) as {
      secret: string;
    };
    const first = await rescindSays('source check chat', { key: secret });
    expect(first).toMatchObject({
      code: 0,
      err: '',
      out: expect.stringMatching(
        /^ {2}1\. Nothing has come\. Write to the topic rescind\.events\.chat,[^]*https:\/\/login\.chat\.example/m,
      ),
    });
    const emit = (id: string, data: object, type = 'access.allowed') =>
      rescindSays(`emit --type ${type} --source ${RAS} --id ${id} --data '${JSON.stringify(data)}'`, { key: secret });
    await emit('u-1', { token: { iss: RAS, jti: 't-1' }, operation: 'read', status: 200 });
    await emit('u-2', { token: { iss: RAS, jti: 't-1' }, operation: 'read', resource: ['https://api.other.example'] });
    await emit('s-1', { iss: RAS, sid: 's-1', sub: 'alice' }, 'session.ended');
    const { code, out } = await rescindSays('source check chat', { key: secret });
    expect(code).toBe(0);
    expect(out).toMatch(/^ {2}1\. The last thing that came was refused, type-not-allowed: /m);
    expect(out).toMatch(/^ {2}access\.allowed +1 +\d+ +yes$/m);
    expect(out).toMatch(new RegExp(`^ {2}\\d+ +access\\.allowed +20\\S+Z +[\\d.]+ s +iss=${RAS} jti=t-1$`, 'm'));
    expect(out).toMatch(/^ {2}\d+ +20\S+Z +wrong-resource +HTTP, chat-events +\S/m);
    expect(out).toMatch(/^ {2}keys +none registered$/m);
    const iat = Math.floor(Date.now() / 1000);
    const hopeless = {
      kind: 'access',
      iss: RAS,
      jti: 't-9',
      client_id: 'wiki',
      aud: ['https://api.chat.example'],
      iat,
      exp: iat + 900,
    };
    expect(await emit('t-9', hopeless, 'token.issued')).toEqual({
      code: 0,
      err: '',
      out: expect.stringMatching(/^t-9: sequenced at index \d+\n {2}warning, lineage-missing: [^\n]+\n$/),
    });
    // Its own source and no other, and not everybody.
    expect(await rescindSays('source check idp', { key: secret })).toMatchObject({
      code: 5,
      err: expect.stringMatching(/^rescind: forbidden: /),
    });
    expect(await rescindSays('source check nobody')).toMatchObject({
      code: 6,
      err: `rescind: not-found: no source of this name or id [${rescind.url}]\n`,
    });
    expect(JSON.parse((await rescindSays('source check chat --json')).out)).toMatchObject({
      source: { name: 'chat' },
      next_steps: [{ code: 'register-keys' }, { code: 'never-sent' }],
    });
  });

  it('imports a directory, or says what is wrong with each line', async () => {
    const csv = `kind,iss,id,display_name,owner\nagent,${IDP},agent-7,Seven,Carol\n`;
    const file = join(home, 'people.csv');
    await writeFile(file, csv);
    expect(await rescindSays(`directory import ${file}`)).toEqual({
      code: 0,
      err: '',
      out: 'entries    1\ncreated    1\nchanged    0\nunchanged  0\n',
    });
    expect(await rescindSays('directory import -', { stdin: csv })).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^unchanged +1$/m),
    });
    expect(
      await rescindSays('directory import -', {
        stdin: JSON.stringify([{ kind: 'agent', iss: IDP, id: 'agent-8', owner: 'Dora' }]),
      }),
    ).toMatchObject({ code: 0, out: expect.stringMatching(/^created +1$/m) });
    expect(
      await rescindSays('directory import -', { stdin: `${csv}agent,,agent-9,Nine,\nperson,${IDP},x,X,\n` }),
    ).toEqual({
      code: 1,
      out: '',
      err:
        'rescind: invalid-request: nothing was taken; 2 of the lines are wrong [' +
        rescind.url +
        ']\nLINE  DETAIL\n3     `iss` is missing\n4     `kind` is one of user, client, agent, resource, team\n',
    });
    expect(await rescindSays('directory list --kind agent')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^agent +\S+ +agent-8 +- +- +Dora/m),
    });
    expect(
      await rescindSays('directory import -', {
        stdin: 'kind,id,team,tags\nresource,https://payroll.example,Finance,sensitive;audited\n',
      }),
    ).toMatchObject({ code: 0, out: expect.stringMatching(/^created +1$/m) });
    expect((await rescindSays('directory list --kind resource')).out).toMatch(
      /^resource +- +https:\/\/payroll\.example .* Finance +audited,? ?sensitive/m,
    );
    expect(await rescindSays('directory import nowhere.csv')).toMatchObject({ code: expect.any(Number), out: '' });
  });

  it('rotates a secret', async () => {
    await rescindSays('caller create rotated --audit');
    expect(await rescindSays('caller add-secret rotated')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^secret +rsk_/m),
    });
    const { secrets } = JSON.parse((await rescindSays('caller show rotated --json')).out) as {
      secrets: { id: string }[];
    };
    expect(secrets).toHaveLength(2);
    expect(await rescindSays(`caller remove-secret rotated ${secrets[0]!.id}`)).toMatchObject({ code: 0 });
    expect(await rescindSays('caller disable rotated')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^disabled +true$/m),
    });
  });

  it('sends events from a file and from the standard input, and says which were refused', async () => {
    const { secret } = JSON.parse((await rescindSays('caller create more-events --emit idp --json')).out) as {
      secret: string;
    };
    const event = (id: string, iss = IDP) =>
      JSON.stringify({
        specversion: '1.0',
        type: 'dev.rescind.session.ended.v1',
        source: IDP,
        id,
        time: new Date().toISOString(),
        data: { iss, sid: id, sub: 'a' },
      });
    const file = join(home, 'events.ndjson');
    await writeFile(file, `${event('f-1')}\n${event('f-2')}\n`);
    expect(await rescindSays(`emit ${file}`, { key: secret })).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^f-1: .*\nf-2: .*\n$/),
    });
    expect(
      await rescindSays('emit -', { key: secret, stdin: `[${event('f-3')},${event('f-4', 'https://other.example')}]` }),
    ).toEqual({
      code: 1,
      out: expect.stringMatching(/^f-3: sequenced at index \d+\nf-4: refused: wrong-issuer/),
      err: 'rescind: 1 of 2 events refused\n',
    });
  });

  it('says in one line that nobody answers', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await new Promise((resolve) => server.close(resolve));
    expect(await rescindSays('source list', { url, key: 'rsk_x' })).toEqual({
      code: 1,
      out: '',
      err: `rescind: cannot reach Rescind at ${url}: connection refused; is it running? Start it with \`rescind serve\`\n`,
    });
    const event = `--type session.ended --source ${IDP} --data '{"iss":"${IDP}","sid":"s","sub":"a"}'`;
    expect(await rescindSays(`emit ${event}`, { url, key: 'rsk_x' })).toMatchObject({
      code: 1,
      err: expect.stringContaining(`cannot reach Rescind at ${url}: connection refused`),
    });
    expect(await rescindSays('health', { url })).toMatchObject({
      code: 1,
      err: expect.stringContaining(`cannot reach Rescind at ${url}: connection refused`),
    });
  });

  it('never sends the key of its directory to another server', async () => {
    let requests = 0;
    const stranger = createHttpServer((_req, res) => {
      requests += 1;
      res.end('{}');
    });
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}`;
    try {
      for (const args of ['source list', `source list --url ${url}`, `emit --rate 1 --for 1`]) {
        expect(await rescindSays(args, { url })).toMatchObject({
          code: 2,
          err: expect.stringContaining(`is not sent to ${url}`),
        });
      }
      expect(requests).toBe(0);
      // The process that answers there is asked for its health without any key, and is not taken for Rescind.
      expect(await rescindSays('health', { url })).toEqual({
        code: 1,
        out: '',
        err: `rescind: what answers at ${url} is not Rescind\n`,
      });
    } finally {
      await new Promise((resolve) => stranger.close(resolve));
    }
  });

  it('reports the health of the instance of its directory, a line for each part', async () => {
    expect(await rescindSays('health')).toEqual({
      code: 0,
      err: '',
      out: 'PART      STATE  REASON\nserve     ok     -\ningest    ok     -\ndatabase  ok     -\nkafka     none   -\n',
    });
    expect(await rescindSays('health serve')).toMatchObject({
      code: 0,
      out: 'PART   STATE  REASON\nserve  ok     -\n',
    });
    expect(await rescindSays('health console')).toMatchObject({
      code: 2,
      err: expect.stringContaining('serve, ingest, database, kafka'),
    });
    const { out } = await rescindSays('health --json');
    expect(JSON.parse(out)).toMatchObject({
      url: rescind.url,
      parts: [
        { part: 'serve', state: 'ok' },
        { part: 'ingest' },
        { part: 'database' },
        { part: 'kafka', state: 'none' },
      ],
    });
    expect(await rescindSays(`health --ca ${join(home, 'admin-key')}`)).toMatchObject({
      code: 2,
      err: 'rescind: --ca and --server-name go with an https URL\n',
    });
  });

  it('reports the health of an instance with TLS, whose certificate is checked', async () => {
    const [cert, key] = ['localhost-cert.pem', 'localhost-key.pem'].map((name) =>
      join('test/integration/registry/tls', name),
    );
    const secureHome = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-`));
    const config = readConfig({
      RESCIND_HOME: secureHome,
      HOST: '0.0.0.0',
      PORT: '0',
      TLS_CERT: cert,
      TLS_KEY: key,
      DATABASE_URL: database.url,
      KAFKA_BROKERS: 'none',
      LOG_LEVEL: 'silent',
    });
    const secure = await startRescind(config, { log: testLog() });
    try {
      const more = { RESCIND_HOME: secureHome };
      expect(await rescindSays(`health serve --ca ${cert} --server-name localhost`, { more })).toEqual({
        code: 0,
        err: '',
        out: 'PART   STATE  REASON\nserve  ok     -\n',
      });
      expect(await rescindSays('health serve --server-name localhost', { more })).toMatchObject({
        code: 1,
        err: expect.stringContaining('its certificate is not trusted'),
      });
      expect(await rescindSays(`health serve --ca ${cert} --server-name rescind.example`, { more })).toMatchObject({
        code: 1,
        err: expect.stringContaining('its certificate is for another name'),
      });
    } finally {
      await secure.stop();
      await rm(secureHome, { recursive: true, force: true });
    }
  });

  it('checks a configuration without a start, and prints every variable and every problem, and no value', async () => {
    const accepted = await rescindSays('config check');
    expect(accepted).toMatchObject({
      code: 0,
      err: '',
      out: expect.stringMatching(
        /^RESCIND_HOME +yes +environment +\S[^]*^PORT +no +default +\S[^]*^The configuration is accepted\.\n$/m,
      ),
    });
    const refused = await rescindSays('config check', {
      more: {
        DATABASE_URL: 'postgres://rescind:hunter2@db.example/rescind',
        KAFKA_BROKERS: 'hunter2',
        TLS_CERT: '/nowhere',
      },
    });
    expect(refused).toMatchObject({
      code: 1,
      err: '',
      out: expect.stringMatching(/^The configuration is refused:\n/m),
    });
    for (const variable of ['DATABASE_URL', 'KAFKA_BROKERS', 'TLS_KEY'])
      expect(refused.out).toMatch(new RegExp(`^  ${variable} \\S`, 'm'));
    expect(refused.out).not.toContain('hunter2');
    expect(JSON.parse((await rescindSays('config check --json')).out)).toMatchObject({ accepted: true, problems: [] });
  });

  it.each<[string, { key?: string; url?: string }, number, RegExp]>([
    ['source show nobody', {}, 6, /^rescind: not-found: .*\n$/],
    ['source list', { key: 'rsk_wrong' }, 5, /^rescind: unauthenticated: .*\n$/],
    ['source list', { url: 'http://rescind.example' }, 2, /^rescind: use https.*\n$/],
    ['revoke --all --reason x', {}, 1, /^rescind: confirmation-required: .*\n$/],
    ['revoke --user alice --reason x', {}, 2, /^rescind: expected name=value.*\n$/],
    ['revoke --issuer https://a.example', {}, 2, /--reason/],
    ['source create x --as planet', {}, 2, /^rescind: --as is one of/],
    ['emit --type session.ended', {}, 2, /^rescind: name a file/],
    ['emit nowhere.json', {}, 2, /^rescind: nowhere\.json cannot be read \(ENOENT\)\n$/],
    ['source', {}, 2, /Usage/],
    ['conquer', {}, 2, /unknown command/],
  ])('says in one line what is wrong with: %s', async (args, options, code, err) => {
    const said = await rescindSays(args, options);
    expect(said.code).toBe(code);
    expect(said.err).toMatch(err);
    const adminKey = (await readFile(join(home, 'admin-key'), 'utf8')).trim();
    expect(said.err + said.out).not.toContain(adminKey);
  });
});

describe('the command line, without a service', () => {
  it('ends quietly when nobody reads its output any more', async () => {
    const child = spawn(process.execPath, ['dist/cli/rescind.js', '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    const said: Buffer[] = [];
    child.stderr.on('data', (text: Buffer) => said.push(text));
    const [code] = (await once(child, 'close')) as [number | null];
    expect({ code, err: Buffer.concat(said).toString() }).toEqual({ code: 141, err: '' });
  });
});
