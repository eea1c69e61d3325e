import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable, Writable } from 'node:stream';
import { afterEach, describe, expect, it } from '@jest/globals';
import { run } from '../run.js';

const item = { type: 'object', properties: { at: { type: 'string', format: 'date-time' }, name: { type: 'string' } } };
const page = { type: 'object', properties: { items: { type: 'array', items: item }, next: { type: 'string' } } };
const DOCUMENT = {
  paths: {
    '/v1/things': {
      get: {
        summary: 'Things',
        parameters: [
          { name: 'limit', in: 'query', schema: { type: 'integer', maximum: 3 } },
          { name: 'cursor', in: 'query', schema: { type: 'string' } },
        ],
        responses: { 200: { content: { 'application/json': { schema: page } } } },
      },
    },
  },
};
/** Enough for the buffers of a connection and of a pipe to be full long before the end. */
const PAGES = 400;

describe('an answer of many pages', () => {
  let server: Server;
  afterEach(() => {
    server.close();
    server.closeAllConnections();
  });

  async function serve(answer: (url: URL, response: ServerResponse, request: IncomingMessage) => void) {
    server = createServer((request, response) => {
      const url = new URL(request.url!, 'http://localhost');
      if (url.pathname === '/openapi.json') {
        // Nobody needs a key to read what can be asked.
        expect(request.headers.authorization).toBeUndefined();
        response.end(JSON.stringify(DOCUMENT));
      } else answer(url, response.setHeader('content-type', 'application/json'), request);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  const pageOf = (at: number, last: number): string =>
    JSON.stringify({
      items: [0, 1, 2].map((row) => ({ at: '2026-11-20T09:00:00Z', name: `n-${at * 3 + row} ${'x'.repeat(400)}` })),
      ...(at === last ? {} : { next: String(at + 1) }),
    });

  async function ask(url: string, args: string, out: Writable, isTTY = false): Promise<{ code: number; err: string }> {
    let err = '';
    const sink = new Writable({
      write(chunk: Buffer, _encoding, done) {
        err += chunk.toString();
        done();
      },
    });
    const env = { RESCIND_URL: url, RESCIND_KEY: 'rsk_x' };
    const code = await run(args.split(' '), {
      env,
      out,
      err: Object.assign(sink, { isTTY }),
      stdin: Readable.from([]),
    });
    return { code, err };
  }
  const collect = (): Writable & { text(): string } => {
    let text = '';
    return Object.assign(
      new Writable({
        write(chunk: Buffer, _encoding, done) {
          text += chunk.toString();
          done();
        },
      }),
      { text: () => text },
    );
  };

  it('is read to its end, in the largest pages', async () => {
    const asked: string[] = [];
    const url = await serve(({ search, searchParams }, response) => {
      asked.push(search);
      response.end(pageOf(Number(searchParams.get('cursor') ?? 0), 2));
    });
    const out = collect();
    expect(await ask(url, 'ask things --all -o csv', out)).toEqual({ code: 0, err: '' });
    expect(
      out
        .text()
        .split('\r\n')
        .map((line) => line.slice(0, 25)),
    ).toEqual(['at,name', ...Array.from({ length: 9 }, (_, at) => `2026-11-20T09:00:00Z,n-${at} x`.slice(0, 25)), '']);
    expect(asked).toEqual(['?limit=3', '?limit=3&cursor=1', '?limit=3&cursor=2']);
  });

  it('is asked for no faster than it is read', async () => {
    let asked = 0;
    const url = await serve(({ searchParams }, response) => {
      asked += 1;
      response.end(pageOf(Number(searchParams.get('cursor') ?? 0), PAGES - 1));
    });
    let goOn: () => void = () => undefined;
    let begin: () => void = () => undefined;
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    let lines = 0;
    // Takes one chunk, and then nothing until somebody says so.
    const out = new Writable({
      highWaterMark: 1,
      write(chunk: Buffer, _encoding, done) {
        lines += chunk.toString().split('\n').length - 1;
        if (lines !== 1) return done();
        goOn = done;
        begin();
      },
    });
    const asking = ask(url, 'ask things --all -o jsonl', out);
    await begun;
    // Many turns in which a reckless reader would ask for the next pages.
    for (let turn = 0; turn < 200; turn += 1) await fetch(`${url}/openapi.json`, { headers: {} });
    expect(asked).toBe(1);
    goOn();
    expect(await asking).toEqual({ code: 0, err: '' });
    expect({ asked, lines }).toEqual({ asked: PAGES, lines: PAGES * 3 });
  });

  it('shows on a terminal how far it is, if the lines go elsewhere', async () => {
    const url = await serve(({ searchParams }, response) =>
      response.end(pageOf(Number(searchParams.get('cursor') ?? 0), PAGES - 1)),
    );
    for (const [isWatched, isFile, shown] of [
      [true, true, true],
      [true, false, false],
      [false, true, false],
    ]) {
      const out = Object.assign(collect(), { isTTY: !isFile });
      const { code, err } = await ask(url, 'ask things --all -o jsonl', out, isWatched);
      expect({ code, shown: /\r[\d,]+ lines/.test(err) }).toEqual({ code: 0, shown });
    }
  });

  it('that breaks off is an error, and what came stays', async () => {
    const url = await serve(({ searchParams }, response) => {
      if (searchParams.get('cursor') === null) return void response.end(pageOf(0, 9));
      response.write(pageOf(1, 9).slice(0, 200), () => response.destroy());
    });
    const out = collect();
    expect(await ask(url, 'ask things --all -o jsonl', out)).toEqual({
      code: 1,
      err: expect.stringMatching(/^rescind: cannot reach Rescind at \S+: .*\n$/),
    });
    expect(out.text().match(/"name":"n-/g)).toHaveLength(3);
  });

  it('is one page unless all are asked for, and says how to get the rest', async () => {
    const url = await serve(({ searchParams }, response) =>
      response.end(pageOf(Number(searchParams.get('cursor') ?? 0), 9)),
    );
    for (const format of ['table', 'jsonl', 'csv']) {
      const out = collect();
      expect(await ask(url, `ask things -o ${format}`, out)).toEqual({
        code: 0,
        err: 'There are more items: --all -o csv (or jsonl) writes all, --limit 3 a longer page; the next page: --cursor 1\n',
      });
      expect(out.text().match(/\bn-\d /g)).toHaveLength(3);
    }
  });

  it('follows no redirect, which would carry the key away', async () => {
    const url = await serve((_url, response) =>
      response.writeHead(302, { location: 'http://127.0.0.1:1/v1/things' }).end(),
    );
    expect(await ask(url, 'ask things', collect())).toMatchObject({ code: 1 });
  });
});
