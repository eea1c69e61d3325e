import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const tls = (name: string): string =>
  readFileSync(new URL(`../registry/tls/localhost-${name}.pem`, import.meta.url), 'utf8');

export interface Arrived {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly body: any;
}

interface Answered {
  readonly status: number;
  readonly text?: string;
  readonly headers?: object;
}
type Answer = (arrived: Arrived, nth: number) => Answered | Promise<Answered>;

/** A real HTTP server that keeps what it gets. `answer` decides about each request; by default all are taken. */
export async function startReceiver({
  isTls = false,
  answer = () => ({ status: 200, text: 'ok' }),
}: {
  readonly isTls?: boolean;
  readonly answer?: Answer;
} = {}) {
  const arrived: Arrived[] = [];
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      const text = Buffer.concat(chunks).toString('utf8');
      const one = { path: request.url!, headers: request.headers, text, body: JSON.parse(text) as unknown };
      arrived.push(one);
      const { status, text: said = '', headers = {} } = await answer(one, arrived.length);
      response.writeHead(status, { ...headers }).end(said);
    });
  };
  const server = isTls
    ? createHttpsServer({ cert: tls('cert'), key: tls('key') }, listener)
    : createHttpServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${isTls ? 'https' : 'http'}://${isTls ? 'localhost' : '127.0.0.1'}:${port}/hook`,
    port,
    arrived,
    async stop(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export type Receiver = Awaited<ReturnType<typeof startReceiver>>;

/** Waits until something holds. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  for (const end = Date.now() + 30_000; Date.now() < end; await delay(20)) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
  }
  throw new Error(`waited in vain: ${what}`);
}
