import { readFileSync } from 'node:fs';
import { createServer as createPlainServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { readFrames, readSyslog, type ReadMessage } from '../../support/syslog.js';

const TLS = 'test/integration/registry/tls/localhost';
/** The certificate of `localhost` and 127.0.0.1, which is its own authority. */
export const CERTIFICATE = readFileSync(`${TLS}-cert.pem`, 'utf8');

export interface SyslogReceiver {
  readonly port: number;
  /** Messages that came whole, read strictly. */
  readonly messages: readonly ReadMessage[];
  /** Says what was wrong with the octets that came. */
  readonly faults: readonly string[];
  readonly connections: number;
  stop(): Promise<void>;
}

export interface ReceiverOptions {
  readonly host?: string;
  readonly port?: number;
  /** Takes a connection instead of reading it. */
  readonly onSocket?: (socket: TLSSocket) => void;
  readonly version?: { readonly maxVersion: 'TLSv1.1' | 'TLSv1.2'; readonly minVersion: 'TLSv1.1' | 'TLSv1.2' };
}

/** A receiver of syslog over TLS that reads strictly. */
export async function startReceiver({
  host = '127.0.0.1',
  port = 0,
  onSocket,
  version,
}: ReceiverOptions = {}): Promise<SyslogReceiver> {
  const messages: ReadMessage[] = [];
  const faults: string[] = [];
  let connections = 0;
  const server = createServer({ cert: CERTIFICATE, key: readFileSync(`${TLS}-key.pem`), ...version }, (socket) => {
    connections++;
    socket.on('error', () => undefined);
    if (onSocket !== undefined) return onSocket(socket);
    let octets = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      try {
        const read = readFrames(Buffer.concat([octets, chunk]));
        octets = Buffer.from(read.rest);
        messages.push(...read.messages.map(readSyslog));
      } catch (error) {
        faults.push((error as Error).message);
        socket.destroy();
      }
    });
    socket.on('end', () => octets.length > 0 && faults.push('a frame is not whole'));
  });
  server.on('tlsClientError', () => undefined);
  const listener = await listening(server, host, port);
  return {
    ...listener,
    messages,
    faults,
    get connections() {
      return connections;
    },
  };
}

/** A server without TLS that does with a connection what `onSocket` says. */
export async function startPlain(onSocket: (socket: Socket) => void) {
  return listening(
    createPlainServer((socket) => {
      socket.on('error', () => undefined);
      onSocket(socket);
    }),
    '127.0.0.1',
    0,
  );
}

async function listening(server: Server, host: string, port: number) {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
