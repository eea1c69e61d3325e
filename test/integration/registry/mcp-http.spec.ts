import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { cleanUp } from '../../support/cleanups.js';
import { AGENT, IDP, startIncident, TOKEN, type Incident } from './mcp-fixture.js';

const LISTS_TOOLS = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' });

let incident: Incident;
let server: ChildProcess;
let url: URL;
const cleanups = cleanUp(afterAll);
beforeAll(async () => {
  incident = await startIncident(cleanups);
  server = spawn(
    process.execPath,
    ['dist/cli/rescind.js', 'mcp', '--http', '0', '--allow-revoke', '--url', incident.rescind.url],
    {
      env: { PATH: process.env['PATH'] ?? '', RESCIND_PERSON: 'Dana Scully', TZ: 'UTC' },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  const gone = once(server, 'exit');
  cleanups.push(async () => {
    server.kill('SIGTERM');
    expect(await gone).toEqual([0, null]);
  });
  for await (const line of createInterface({ input: server.stderr! })) {
    url = new URL(/^rescind mcp answers at (\S+)$/.exec(line)![1]!);
    break;
  }
});

async function assistant(key: string, era: 'legacy' | 'auto' = 'legacy'): Promise<Client> {
  const client = new Client({ name: 'spec', version: '1.0.0' }, { versionNegotiation: { mode: era } });
  await client.connect(
    new StreamableHTTPClientTransport(url, { requestInit: { headers: { authorization: `Bearer ${key}` } } }),
  );
  cleanups.push(() => client.close());
  return client;
}

/** Sends a request with any header, also those that fetch sets itself. */
function send(
  headers: Readonly<Record<string, string>>,
  { method = 'POST', path = url.pathname, body = LISTS_TOOLS } = {},
): Promise<{ status: number; text: string; headers: NodeJS.Dict<string | string[]> }> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: url.hostname,
        port: url.port,
        method,
        path,
        headers: { accept: 'application/json, text/event-stream', 'content-type': 'application/json', ...headers },
      },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => resolve({ status: response.statusCode!, text, headers: response.headers }));
        response.on('error', reject);
      },
    );
    sent.on('error', reject);
    sent.end(method === 'POST' ? body : undefined);
  });
}

describe('rescind mcp --http', () => {
  it('listens on loopback alone', async () => {
    expect(url.href).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/mcp$/);
    const others = Object.values(networkInterfaces()).flatMap((addresses) => addresses!.map(({ address }) => address));
    // All of 127.0.0.0/8 leads to a server on every address of Linux, and no other machine needs an interface for it.
    for (const host of [...(process.platform === 'linux' ? ['127.0.0.2'] : []), ...others])
      if (host !== url.hostname && !host.startsWith('fe80:'))
        await expect(once(connect({ host, port: Number(url.port) }), 'connect')).rejects.toThrow('ECONNREFUSED');
  });

  it.each(['legacy', 'auto'] as const)('answers each client with its own key (%s)', async (era) => {
    const auditing = await assistant(incident.auditorKey, era);
    expect((await auditing.listTools()).tools.map(({ name }) => name)).toContain('order_revocation');
    const uses = await auditing.callTool({
      name: 'access',
      arguments: { client_iss: IDP, client_id: AGENT, limit: 1 },
    });
    expect(uses.structuredContent).toMatchObject({ items: [{ operation: 'read', records: 1 }] });

    const selector = { client: { iss: IDP, client_id: AGENT } };
    const order = { name: 'order_revocation', arguments: { selector, reason: 'exports far more than it reads' } };
    await auditing.callTool({ name: 'revocations_preview', arguments: { selector } });
    expect(await auditing.callTool(order)).toMatchObject({ isError: true, structuredContent: { code: 'forbidden' } });

    const acting = await assistant(incident.analystKey, era);
    // A preview of another caller is none of this one.
    expect(await acting.callTool(order)).toMatchObject({ structuredContent: { code: 'invalid-arguments' } });
    await acting.callTool({ name: 'revocations_preview', arguments: { selector } });
    const { structuredContent } = await acting.callTool(order);
    expect(structuredContent).toMatchObject({ id: expect.any(String) });
    expect(await incident.isActive(TOKEN)).toBe(false);
    const { id } = structuredContent as { id: string };
    const rule = await acting.callTool({ name: 'revocations_by_id', arguments: { id } });
    expect(rule.structuredContent).toMatchObject({ author: { caller: 'analyst', on_behalf_of: 'Dana Scully' } });
    await acting.callTool({ name: 'lift_revocation', arguments: { id, resume: true } });
    expect(await incident.isActive(TOKEN)).toBe(true);
  });

  it('answers nothing without a key that the service knows', async () => {
    for (const headers of [
      {},
      { authorization: 'Bearer ' },
      { authorization: 'Basic YTpi' },
      { authorization: 'Bearer rsk_no' },
    ])
      for (const method of ['POST', 'GET', 'DELETE']) {
        const { status, headers: told, text } = await send(headers as Record<string, string>, { method });
        expect({ headers, method, status }).toEqual({ headers, method, status: 401 });
        expect(told['www-authenticate']).toBe('Bearer');
        expect(text).not.toContain('rsk_no');
      }
    await expect(assistant('rsk_unknown')).rejects.toThrow();
  });

  it('answers no foreign host and no foreign origin, whatever key they have', async () => {
    const authorization = `Bearer ${incident.analystKey}`;
    const refused: Record<string, string>[] = [
      { host: 'rebound.example' },
      { host: `rebound.example:${url.port}` },
      { host: '127.0.0.1.rebound.example' },
      { origin: 'https://rebound.example' },
      { origin: 'null' },
      { origin: `http://127.0.0.1.rebound.example:${url.port}` },
    ];
    // A request from elsewhere does not even hear whether its key is known.
    const keys: Record<string, string>[] = [{ authorization }, { authorization: 'Bearer rsk_no' }, {}];
    for (const headers of refused)
      for (const key of keys)
        expect({ headers, status: (await send({ ...headers, ...key })).status }).toEqual({ headers, status: 403 });
    const served: Record<string, string>[] = [
      {},
      { host: `localhost:${url.port}` },
      { origin: `http://localhost:${url.port}` },
    ];
    for (const headers of served) {
      const { status, text, headers: told } = await send({ ...headers, authorization });
      expect({ headers, status }).toEqual({ headers, status: 200 });
      expect(text).toContain('revocations_preview');
      expect(told['access-control-allow-origin']).toBeUndefined();
    }
  });

  it('bounds a request, and answers at one path', async () => {
    const authorization = `Bearer ${incident.analystKey}`;
    expect(await send({ authorization }, { path: '/' })).toMatchObject({ status: 404 });
    expect(await send({ authorization }, { body: `"${'x'.repeat(300 * 1024)}"` })).toMatchObject({ status: 413 });
    expect(await send({ authorization }, { body: '{' })).toMatchObject({ status: 400 });
    // There are no sessions to begin, to listen to or to end.
    expect(await send({ authorization }, { method: 'GET' })).toMatchObject({ status: 405 });
    expect(await send({ authorization }, { method: 'DELETE' })).toMatchObject({ status: 405 });
  });
});
