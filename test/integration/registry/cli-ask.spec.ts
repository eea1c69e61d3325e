import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import { METHODS, readDocument, type ApiDocument } from '../../../src/cli/question/document.js';
import { isQuestion, questionsOf, type Question } from '../../../src/cli/question/questions.js';
import type { RunningRescind } from '../../../src/main.js';
import { cleanUp } from '../../support/cleanups.js';
import { startOwnRescind } from '../../support/rescind.js';
import { createCli } from './cli-fixture.js';

/**
 * Operations that are no question, with what asks or orders them instead. A new operation that changes nothing becomes a question by its method,
 * or by `x-rescind-reads`; one that changes something is added here. The service runs without Kafka, where `rescind partition` has nothing to do.
 */
const NOT_ASKED: Readonly<Record<string, string>> = {
  'get /': 'links for a person with a browser',
  'get /openapi.json': 'the questions are made of it',
  'get /schemas/{file}': 'for programs that make events',
  'get /health/live': '`rescind health`',
  'get /health/ready': '`rescind health`',
  'get /health/ready/serve': '`rescind health serve`',
  'get /health/ready/ingest': '`rescind health ingest`',
  'get /metrics': 'for Prometheus',
  'get /ledger/{tenant}/checkpoint': '`rescind ledger`',
  'get /ledger/{tenant}/checkpoint.witnessed': '`rescind ledger`',
  'get /ledger/{tenant}/keys': '`rescind ledger`',
  'get /ledger/{tenant}/tile/{level}/{n}': 'for checkers of the whole log',
  'get /ledger/{tenant}/tile/entries/{n}': 'for checkers of the whole log',
  'get /v1/stream': '`rescind watch`',
  'put /v1/detections/{kind}': '`rescind detections set`',
  'post /v1/findings/{id}': '`rescind findings acknowledge`, `resolve`, `mute`, `reopen`',
  'post /events': '`rescind emit`',
  'post /introspect': 'for resource servers: it takes a token, which belongs in no command line',
  'post /revoke': 'for authorization servers: it takes a token',
  'get /authorize-request': 'for proxies: it takes a token',
  'post /authorize-request': 'for proxies: it takes a token',
  'get /v1/export/ocsf': '`rescind export ocsf`',
  'get /v1/evidence': 'an archive for `rescind verify`; `rescind evidence` fetches one',
  'post /v1/revocations': '`rescind revoke`',
  'post /v1/revocations/{id}/lift': '`rescind revoke lift`',
  'post /v1/sources': '`rescind source create`',
  'put /v1/sources/{id}': '`rescind source update`',
  'post /v1/sources/{id}/disable': '`rescind source disable`',
  'post /v1/callers': '`rescind caller create`',
  'put /v1/callers/{id}': '`rescind caller update`',
  'post /v1/callers/{id}/disable': '`rescind caller disable`',
  'post /v1/callers/{id}/secrets': '`rescind caller add-secret`',
  'delete /v1/callers/{id}/secrets/{secretId}': '`rescind caller remove-secret`',
  'post /v1/tenants': '`rescind tenant create`',
  'post /v1/erasures': '`rescind erase user`',
  'post /v1/erasures/preview': '`rescind erase user --preview`',
  'post /v1/sign-in-links': '`rescind sign-in`',
  'post /v1/quarantine/replay': '`rescind quarantine replay`',
  'post /v1/quarantine/{id}/replay': '`rescind quarantine replay`',
  'post /v1/directory/import': '`rescind directory import`',
  'post /v1/views': 'for the console: it saves what its URL says',
  'put /v1/views/{id}': 'for the console: it saves what its URL says',
  'delete /v1/views/{id}': '`rescind view remove`',
  'put /v1/channels/{name}': '`rescind channels set`',
  'delete /v1/channels/{name}': '`rescind channels remove`',
  'post /v1/channels/{name}/try': '`rescind channels try`',
  'post /v1/channels/{name}/rotate': '`rescind channels rotate`',
  'post /v1/channels/{name}/replay': '`rescind channels replay`',
};

const RAS = 'https://login.chat.example';
const API = 'https://api.chat.example';
const USES = 230;
/** A name that would clear the screen, and that a spreadsheet would take for a formula. */
const HOSTILE = '=1+1\u001b[2J';

describe('rescind ask', () => {
  let home: string;
  let rescind: RunningRescind;
  let document: ApiDocument;
  let questions: readonly Question[];
  const says: ReturnType<typeof createCli> = (args, options) => createCli(home)(args, options);

  const cleanups = cleanUp(afterAll);
  beforeAll(async () => {
    ({ rescind, home } = await startOwnRescind(cleanups));
    document = await readDocument(rescind.url);
    ({ questions } = questionsOf(document));
    await says(
      `source create chat --uri ${RAS} --as authorization-server --as resource-server --issuer ${RAS} --resource ${API}`,
    );
    const created = await says('caller create chat-events --emit chat --json');
    const { secret } = JSON.parse(created.out) as { secret: string };
    const iat = Math.floor(Date.now() / 1000) - 600;
    const event = (id: string, type: string, at: number, data: object): string =>
      JSON.stringify({
        specversion: '1.0',
        type: `dev.rescind.${type}.v1`,
        source: RAS,
        id,
        time: new Date(at * 1000).toISOString(),
        data,
      });
    const token = { kind: 'access', iss: RAS, jti: 't-1', sub: HOSTILE, client_id: 'wiki', aud: [API], scope: 'read' };
    const lines = [
      event('t-1', 'token.issued', iat, { ...token, iat, exp: iat + 3_600 }),
      ...Array.from({ length: USES }, (_, at) =>
        event(`u-${at}`, 'access.allowed', iat + at, {
          token: { iss: RAS, jti: 't-1' },
          operation: 'read',
          status: 200,
          records: at,
        }),
      ),
    ];
    expect(await says('emit -', { key: secret, stdin: lines.join('\n') })).toMatchObject({ code: 0, err: '' });
  });

  it('can ask every operation that the service documents, but for those that stand in the list', () => {
    const operations = Object.entries(document.paths).flatMap(([path, item]) =>
      METHODS.flatMap((method) => (item[method] === undefined ? [] : [{ method, path, operation: item[method] }])),
    );
    expect(operations.length).toBeGreaterThan(50);
    const left = operations
      .filter(({ method, path, operation }) => !isQuestion(method, path, operation))
      .map(({ method, path }) => `${method} ${path}`);
    const people = /^(?:put|delete) \/v1\/directory\//;
    expect(left.filter((operation) => !people.test(operation)).toSorted()).toEqual(Object.keys(NOT_ASKED).toSorted());
    expect(questions).toHaveLength(operations.length - left.length);
    // Options of the command line itself would hide a parameter of the same name.
    const own = ['url', 'context', 'output', 'json', 'all', 'help', 'version'];
    for (const { options } of questions) expect(options.filter(({ option }) => own.includes(option))).toEqual([]);
  });

  it('leaves views to a command that lists and removes them', async () => {
    const view = { name: 'exports of the week', page: '/explore', search: 'by=user', shared: true };
    const saved = await fetch(`${rescind.url}/v1/views`, {
      method: 'POST',
      headers: { authorization: `Bearer ${rescind.adminKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(view),
    });
    const { id } = (await saved.json()) as { readonly id: string };
    expect((await says('view list')).out).toContain(`${id}  exports of the week`);
    const removed = await says(`view remove ${id} --json`);
    expect([removed.code, JSON.parse(removed.out)]).toEqual([0, expect.objectContaining({ id, ...view })]);
    expect((await says('view list')).out).not.toContain(id);
    expect(await says(`view remove ${id}`)).toMatchObject({ code: 6, err: expect.stringContaining('not-found') });
  });

  it('lists them with what each is about', async () => {
    const { code, out } = await says('ask --help');
    expect(code).toBe(0);
    for (const { words, summary } of questions) {
      expect(summary).not.toBe('');
      expect(out).toContain(`  ${words.join(' ')}`);
    }
    expect((await says('ask')).out).toBe(out);
  });

  it('asks each of them, in each format', async () => {
    const answered = new Map<string, number>();
    for (const question of questions) {
      const parts = question.parts.map(() => '1').join(' ');
      const needed = question.options
        .filter(({ isRequired }) => isRequired)
        .map(({ option, structure }) => `--${option} ${structure === 'object' ? `'{"issuer":"${RAS}"}'` : '1'}`);
      const words = [...question.words, parts, ...needed].join(' ');
      for (const format of ['table', 'json', 'jsonl', 'csv']) {
        const { code, out, err } = await says(`ask ${words} -o ${format}`);
        // A refusal is the service's: a name that nobody knows, or a filter that is missing.
        const refusal = {
          0: /^/,
          1: /^rescind: (?:invalid-request|inconsistent-request): /,
          6: /^rescind: not-found: /,
        };
        expect({ words, format, code, err }).toEqual({
          words,
          format,
          code,
          err: expect.stringMatching(refusal[code as keyof typeof refusal] ?? /^no such code/),
        });
        // CSV has a head, a table says that there is none; lines of an empty list are none.
        if (code === 0 && format !== 'jsonl') expect({ words, format, out }).not.toEqual({ words, format, out: '' });
        if (code === 0 && format === 'json') JSON.parse(out);
        if (code === 0) answered.set(format, (answered.get(format) ?? 0) + 1);
      }
      expect(await says(`ask ${question.words.join(' ')} ${parts} --help`)).toMatchObject({
        code: 0,
        out: expect.stringContaining(`Usage: rescind ask ${question.words.join(' ')}`),
      });
    }
    expect([...answered.values()].every((count) => count >= 12)).toBe(true);
  });

  it('shows a page as a table with local times, and how to get more', async () => {
    const { code, out, err } = await says(`ask access --resource ${API} --limit 3`, { more: { TZ: 'Asia/Kolkata' } });
    expect(code).toBe(0);
    expect(out).toMatch(
      /^AT \+05:30 .* CLIENT .* RECORDS .* TOKEN\n(?:20\d\d-\S+ \S+ .* wiki .* read .*\n){3}\nAs of /,
    );
    expect(out).toContain('=1+1\\u{1b}[2J');
    expect(err).toMatch(
      /^There are more items: --all -o csv \(or jsonl\) writes all, --limit \d+ a longer page; the next page: --cursor \S+\n$/,
    );
    const [, cursor] = /--cursor (\S+)/.exec(err)!;
    expect((await says(`ask access --resource ${API} --limit 3 --cursor ${cursor!}`)).out).toMatch(/^AT/);
  });

  it('fits a terminal', async () => {
    for (const width of [80, 120, 200]) {
      const { out } = await says(`ask access --resource ${API} --limit 5`, { more: { COLUMNS: String(width) } });
      const lines = out.split('\n');
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
    }
  });

  it('follows a list to its end, as lines or as CSV', async () => {
    const lines = await says(`ask access --resource ${API} --limit 50 --all -o jsonl`);
    expect(lines).toMatchObject({ code: 0, err: '' });
    const items = lines.out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { records: number });
    expect(items.map(({ records }) => records)).toEqual(Array.from({ length: USES }, (_, at) => USES - 1 - at));

    const csv = await says(`ask access --resource ${API} --all -o csv`);
    expect(csv).toMatchObject({ code: 0, err: '' });
    const rows = parse(csv.out, { columns: true, record_delimiter: '\r\n' }) as Record<string, string>[];
    expect(rows.map(({ records }) => Number(records))).toEqual(items.map(({ records }) => records));
    expect(rows[0]).toMatchObject({ 'user.sub': `'${HOSTILE}`, 'client.client_id': 'wiki', 'resource.uri': API });

    expect(await says(`ask access --resource ${API} --all`)).toMatchObject({
      code: 2,
      err: 'rescind: --all writes line by line: add -o jsonl or -o csv\n',
    });
  });

  it('asks about the past', async () => {
    const { items } = JSON.parse((await says(`ask access --resource ${API} -o json --limit 100`)).out) as {
      items: { index: string }[];
    };
    const { index } = items[40]!;
    const then = JSON.parse((await says(`ask access --resource ${API} -o json --as-of ${index}`)).out) as {
      as_of: { index: string };
      items: { index: string }[];
    };
    expect([then.as_of.index, then.items[0]!.index]).toEqual([index, items[41]!.index]);
  });

  it('asks what is no GET if it changes nothing, and writes reports as the service does', async () => {
    expect(await says(`ask revocations preview --selector '{"issuer":"${RAS}"}'`)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^tokens +1\n[^]*^users +1$/m),
    });
    expect(await says(`ask reports access-review --resource ${API} -o csv`)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^user[^\n]*\r\n/),
    });
  });

  it.each<[string, { key?: string }, number, RegExp]>([
    ['ask acess', {}, 2, /^rescind: there is no question `acess`; did you mean `access`\?/],
    ['ask access --usr-sub a', {}, 2, /Did you mean --user-sub\?[^]*rescind ask access --help/],
    ['ask access --outcome maybe', {}, 2, /Allowed choices are allowed, denied/],
    ['ask access -o xml', {}, 2, /Allowed choices are table, json, jsonl, csv/],
    ['ask reports incident', {}, 2, /--rule/],
    ['ask sources nobody', {}, 6, /^rescind: not-found: /],
    ['ask graph', { key: 'rsk_wrong' }, 5, /^rescind: unauthenticated: /],
  ])('%s %j exits with %i', async (args, options, code, err) => {
    expect(await says(args, { ...options, url: rescind.url, key: options.key ?? rescind.adminKey! })).toEqual({
      code,
      out: '',
      err: expect.stringMatching(err),
    });
  });

  it('names services, each with its key, and uses them', async () => {
    const config = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-`));
    const at = (more = {}) => ({ more: { RESCIND_HOME: '', XDG_CONFIG_HOME: config, ...more } });
    try {
      const key = rescind.adminKey!;
      expect(await says(`context add here --url ${rescind.url}`, { ...at(), stdin: `${key}\n` })).toMatchObject({
        code: 0,
        out: expect.not.stringContaining(key),
      });
      expect(await readFile(join(config, 'rescind', 'contexts.json'), 'utf8')).toContain(key);
      await says('context add away --url https://rescind.example', { ...at({ RESCIND_KEY: 'rsk_away' }) });
      expect((await says('ask sources --context here', at())).out).toContain('chat');
      expect((await says('source list --context here', at())).out).toContain('chat');
      expect((await says('health serve --context here', at())).code).toBe(0);
      expect(await says('ask sources', at({ RESCIND_CONTEXT: 'here', RESCIND_KEY: 'rsk_x' }))).toMatchObject({
        code: 2,
      });
      expect(await says('context use here', at())).toMatchObject({ code: 0 });
      expect((await says('ask sources', at())).out).toContain('chat');
      expect((await says('context list', at())).out).toBe(
        `NAME  URL                      IN USE\nhere  ${rescind.url.padEnd(23)}  yes\naway  https://rescind.example  -\n`,
      );
      expect(await says('context remove here', at())).toMatchObject({ code: 0 });
      expect(await says('ask sources --context here', at())).toMatchObject({
        code: 2,
        err: expect.stringContaining('there are away'),
      });
      expect(
        await says('context add odd --url https://rescind.example', { ...at(), stdin: 'two words' }),
      ).toMatchObject({
        code: 2,
      });
    } finally {
      await rm(config, { recursive: true, force: true });
    }
  });
});
