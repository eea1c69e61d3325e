import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { PassThrough, Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { createLocalTime } from '../local-time.js';
import { run } from '../run.js';
import { createHttpServing, type HttpServing } from './http.js';
import { createPreviews } from './orders.js';
import { createMcpServer } from './server.js';
import { toolsOf } from './tools.js';

const KEY = 'rsk_known';
const ITEMS = 400;
const page = { type: 'array', items: { type: 'object', properties: { name: { type: 'string' } } } };
const document = {
  paths: {
    '/v1/things': {
      get: {
        summary: 'Things',
        parameters: [{ name: 'limit', in: 'query', schema: { type: 'integer', maximum: ITEMS } }],
        responses: { 200: { content: { 'application/json': { schema: { properties: { items: page } } } } } },
      },
    },
    '/v1/report': { get: { summary: 'Report', responses: { 200: { content: { 'text/plain': {} } } } } },
  },
};

/** Stands in for a service: a document, one key and things with long names. */
function startService(): Promise<{ server: Server; url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer(({ url: path = '', headers }, response) => {
    const say = (status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    if (path === '/openapi.json') return say(200, document);
    asked.push(path);
    if (headers.authorization !== `Bearer ${KEY}`) return say(401, { code: 'unauthenticated', detail: 'no such key' });
    if (path === '/v1/report') return void response.writeHead(200, { 'content-type': 'text/plain' }).end('a\u001bb');
    if (!path.startsWith('/v1/things')) return say(404, { code: 'not-found', detail: 'no such rule' });
    const limit = Number(new URL(path, 'http://x').searchParams.get('limit') ?? ITEMS);
    say(200, {
      items: Array.from({ length: limit }, (_, at) => ({ name: `thing-${at}-${'x'.repeat(1_000)}` })),
      next: `after-${limit}`,
    });
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () =>
      resolve({ server, asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }),
    );
  });
}

let service: Awaited<ReturnType<typeof startService>>;
beforeEach(async () => {
  service = await startService();
});
afterEach(() => {
  service.server.closeAllConnections();
  service.server.close();
});

describe('rescind mcp on standard input and output', () => {
  it('answers, and ends with its input', async () => {
    const [stdin, out, err] = [new PassThrough(), new PassThrough(), new PassThrough()];
    const ended = run(['mcp'], { env: { RESCIND_URL: service.url, RESCIND_KEY: KEY }, stdin, out, err });
    const lines = createInterface({ input: out })[Symbol.asyncIterator]();
    const ask = async (id: number, method: string, params: object): Promise<any> => {
      stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
      return JSON.parse((await lines.next()).value as string);
    };
    const began = await ask(1, 'initialize', {
      protocolVersion: '2025-06-18',
      capabilities: {},
      clientInfo: { name: 'spec', version: '1' },
    });
    expect(began.result).toMatchObject({ serverInfo: { name: 'rescind' }, capabilities: { tools: {} } });
    const { result } = await ask(2, 'tools/call', { name: 'report', arguments: {} });
    expect(result).toMatchObject({ content: [{ type: 'text', text: String.raw`a\u{1b}b` }] });
    stdin.end();
    expect(await ended).toBe(0);
    expect(err.read()).toBe(null);
  });

  it('does not start without a service', async () => {
    service.server.closeAllConnections();
    service.server.close();
    let said = '';
    const sink = new Writable({ write: (chunk: Buffer, _, done) => ((said += chunk.toString()), done()) });
    const env = { RESCIND_URL: service.url, RESCIND_KEY: KEY };
    expect(await run(['mcp'], { env, stdin: new PassThrough(), out: sink, err: sink })).toBe(1);
    expect(said).toContain('cannot reach Rescind');
  });
});

describe('rescind mcp over HTTP', () => {
  let sut: HttpServing;
  let url: string;
  beforeEach(async () => {
    const toolbox = toolsOf(document, false);
    const shared = { previews: createPreviews(), toLocal: createLocalTime('UTC'), person: undefined };
    sut = createHttpServing({
      url: service.url,
      serverFor: (key, client) => createMcpServer({ ...shared, key, client, toolbox: () => Promise.resolve(toolbox) }),
    });
    url = await sut.listen(0);
  });
  afterEach(() => sut.close());

  const connected = async (mode: 'legacy' | 'auto'): Promise<Client> => {
    const client = new Client({ name: 'spec', version: '1' }, { versionNegotiation: { mode } });
    const requestInit = { headers: { authorization: `Bearer ${KEY}` } };
    await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }));
    return client;
  };

  it.each(['legacy', 'auto'] as const)(
    'asks for so many items as fit, so that the cursor fits them (%s)',
    async (mode) => {
      const client = await connected(mode);
      const { structuredContent } = await client.callTool({ name: 'things', arguments: {} });
      const { items, next } = structuredContent as { items: unknown[]; next: string };
      expect(items.length).toBeGreaterThan(20);
      expect(items.length).toBeLessThan(40);
      expect(next).toBe(`after-${items.length}`);
      await client.close();
    },
  );

  it('asks the service about the key before anything else', async () => {
    const post = (authorization: string) =>
      fetch(url, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
      });
    expect((await post('Bearer rsk_other')).status).toBe(401);
    expect(service.asked).toEqual(['/v1/revocations/none']);
    expect((await post(`Bearer ${'x'.repeat(600)}`)).status).toBe(401);
    expect(service.asked).toHaveLength(1);
    expect((await post(`Bearer ${KEY}`)).status).toBe(200);
    service.server.closeAllConnections();
    service.server.close();
    expect((await post(`Bearer ${KEY}`)).status).toBe(503);
  });
});
