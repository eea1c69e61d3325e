import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface BoundServer {
  /** `http://127.0.0.1:<port>`. It is known before anything is served, because issuers and keys are registered under it first. */
  readonly origin: string;
  /** Installs the party's listener. Until then the server answers 503. */
  serve(listener: RequestListener): void;
  stop(): Promise<void>;
}

/** Binds a free loopback port. The sandbox never listens on another address, because it prints its users' passwords. */
export async function bindLoopback(): Promise<BoundServer> {
  let listener: RequestListener = (_request, response) => {
    response.writeHead(503, { 'retry-after': '1' }).end();
  };
  const server = createServer((request, response) => listener(request, response));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    serve(next) {
      listener = next;
    },
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}
