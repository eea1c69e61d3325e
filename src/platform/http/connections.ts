import type { Server, Socket } from 'node:net';

/** Connections of all clients: guards and subscribers, which keep one each, and everyone else. A further connection is closed at once. */
export const MAX_CONNECTIONS = 16_000;
/** Connections of one address, so that no address takes all of them. Behind a proxy every client has the proxy's address. */
export const MAX_CONNECTIONS_AN_ADDRESS = 8_000;

export interface ConnectionBounds {
  readonly all: number;
  readonly anAddress: number;
}

export const connectionBounds = (trustedProxy: boolean): ConnectionBounds => ({
  all: MAX_CONNECTIONS,
  anAddress: trustedProxy ? MAX_CONNECTIONS : MAX_CONNECTIONS_AN_ADDRESS,
});

/** Closes connections beyond the bounds before anything is read from them. */
export function boundConnections(
  server: Server,
  bounds: ConnectionBounds,
  onClosed: () => void = () => undefined,
): void {
  const byAddress = new Map<string, number>();
  let all = 0;
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? '';
    const own = byAddress.get(address) ?? 0;
    if (all >= bounds.all || own >= bounds.anAddress) {
      socket.destroy();
      return onClosed();
    }
    all += 1;
    byAddress.set(address, own + 1);
    socket.once('close', () => {
      all -= 1;
      const left = byAddress.get(address)! - 1;
      if (left === 0) byAddress.delete(address);
      else byAddress.set(address, left);
    });
  });
}
