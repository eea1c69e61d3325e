import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ListenConfig } from '../config/index.js';

export interface ListeningServer {
  readonly url: string;
  /** Closes at once, even with answers under way. */
  close(): Promise<void>;
}

/** Resolves when the server listens. */
export async function listenOn(
  server: Server,
  { host, port, tls }: Pick<ListenConfig, 'host' | 'port' | 'tls'>,
): Promise<ListeningServer> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo;
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
