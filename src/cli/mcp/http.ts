import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import {
  createMcpHandler,
  hostHeaderValidationResponse,
  localhostAllowedHostnames,
  originValidationResponse,
  type McpServer,
} from '@modelcontextprotocol/server';
import { createClient, pathOf, RequestFailed, type Client } from '../client.js';

const HOST = '127.0.0.1';
const PATH = '/mcp';
/** Bytes of a request. The arguments of a question are far shorter. */
const MAX_BODY_BYTES = 256 * 1024;
const MAX_CONNECTIONS = 64;
/** A connection on which nothing happens is closed. */
const IDLE_MS = 60_000;
/** A key of Rescind is far shorter. */
const BEARER = /^Bearer ([!-~]{1,512})$/i;

export interface HttpServing {
  /** Starts listening and resolves with the URL. */
  listen(port: number): Promise<string>;
  close(): Promise<void>;
}

export interface HttpServingOptions {
  /** URL of the service. */
  readonly url: string;
  /** Creates the server of one request, which acts with the key of that request. */
  serverFor(key: string, client: Client): McpServer;
}

/**
 * Serves streamable HTTP on loopback. There are no sessions: each request carries the key of its client, and the server of a request ends with
 * it. Begins from no: a request must name loopback as its host, come from no foreign origin, and have a key that the service knows.
 */
export function createHttpServing({ url, serverFor }: HttpServingOptions): HttpServing {
  const clientOf = (key: string): Client => createClient({ url, key });
  const handler = createMcpHandler(
    ({ authInfo }) => {
      const key = authInfo!.token;
      return serverFor(key, clientOf(key));
    },
    { maxRequestBodySize: MAX_BODY_BYTES, maxSubscriptions: 0 },
  );

  async function answer(request: Request): Promise<Response> {
    const names = localhostAllowedHostnames();
    // A page of the network can make a browser send requests here, under a name that leads to loopback.
    const foreign = hostHeaderValidationResponse(request, names) ?? originValidationResponse(request, names);
    if (foreign !== undefined) return foreign;
    if (new URL(request.url).pathname !== PATH) return refusal(404, 'not-found', `the server answers at ${PATH}`);
    const key = BEARER.exec(request.headers.get('authorization') ?? '')?.[1];
    if (key === undefined) return unauthenticated('send a key of Rescind as a bearer');
    const refused = await refusalOf(clientOf(key));
    return refused ?? handler.fetch(request, { authInfo: { token: key, clientId: 'rescind', scopes: [] } });
  }

  const server = createServer({ requestTimeout: IDLE_MS }, (incoming, outgoing) => {
    // Nothing of a request is repeated or logged: it carries a key.
    exchange(incoming, outgoing, answer).catch(() => outgoing.destroy());
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.setTimeout(IDLE_MS);
  return {
    async listen(port) {
      server.listen(port, HOST);
      await once(server, 'listening');
      return `http://${HOST}:${(server.address() as AddressInfo).port}${PATH}`;
    },
    async close() {
      await handler.close();
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Asks the service whether it knows the key. No question is answered before. */
async function refusalOf(client: Client): Promise<Response | undefined> {
  try {
    await client.get(pathOf('revocations', 'none'));
    return undefined;
  } catch (error) {
    const code = error instanceof RequestFailed ? error.code : '';
    // The service knows the key, and no rule of that name; or the caller may not read rules.
    if (code === 'not-found' || code === 'forbidden') return undefined;
    if (code === 'unauthenticated') return unauthenticated('the service does not know this key');
    return refusal(503, 'unavailable', 'the service cannot be asked whether it knows the key; try again');
  }
}

const unauthenticated = (detail: string): Response =>
  refusal(401, 'unauthenticated', detail, { 'www-authenticate': 'Bearer' });

const refusal = (status: number, code: string, detail: string, headers: Record<string, string> = {}): Response =>
  Response.json({ code, detail }, { status, headers });

/** Passes a request of Node to a handler of the web's own shape, and its answer back. */
async function exchange(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  answer: (request: Request) => Promise<Response>,
): Promise<void> {
  const left = new AbortController();
  outgoing.on('close', () => left.abort());
  const body = await bodyOf(incoming);
  if (body === undefined) return void outgoing.writeHead(413).end();
  const response = await answer(
    new Request(new URL(incoming.url ?? '/', `http://${HOST}`), {
      method: incoming.method ?? 'GET',
      headers: Object.entries(incoming.headers).map(([name, value]): [string, string] => [name, String(value)]),
      ...(body === undefined || body.length === 0 ? {} : { body: new Uint8Array(body) }),
      signal: left.signal,
    }),
  );
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  if (response.body === null) outgoing.end();
  else await pipeline(Readable.fromWeb(response.body as ReadableStream), outgoing);
}

/** Reads a body; undefined if it is too long. The rest of such a body is read and dropped, so that its sender can read the answer. */
async function bodyOf(incoming: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  return length <= MAX_BODY_BYTES ? Buffer.concat(chunks) : undefined;
}
