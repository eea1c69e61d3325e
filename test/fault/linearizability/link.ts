import { connect, createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

/** Directions of a link: `from` carries the bytes that the connecting side sends, `to` those that it receives. */
export interface Directions {
  readonly from: boolean;
  readonly to: boolean;
}

/** A TCP link between two processes that can be spoilt. */
export interface Link {
  readonly port: number;
  /** Ends what is connected, and refuses what comes until it heals. */
  cut(): void;
  /** Delays the bytes of these directions, and keeps their order. */
  slow(delayMs: number, directions: Directions): void;
  /** Bytes of these directions vanish without anybody being told: a host or a wire that has gone. */
  swallow(directions: Directions): void;
  /** Bytes of these directions stay under way, and arrive when it heals: a wire that comes back, with what TCP sends again. */
  hold(directions: Directions): void;
  /** Ends all disturbances. Connections that have lost bytes are reset. */
  heal(): void;
  close(): Promise<void>;
}

type Mode =
  | { readonly kind: 'open' | 'cut' }
  | { readonly kind: 'slow'; readonly delayMs: number; readonly directions: Directions }
  | { readonly kind: 'swallow' | 'hold'; readonly directions: Directions };

/** One direction of one connection: what is under way in it, in order. */
interface Pipe {
  readonly direction: keyof Directions;
  readonly target: Socket;
  readonly held: (Buffer | 'end')[];
  /** The latest that something under way arrives. */
  dueAt: number;
}

interface Connection {
  readonly sockets: readonly Socket[];
  readonly pipes: readonly Pipe[];
  /** Bytes of it were swallowed: what comes later would not fit. */
  torn: boolean;
}

/** `targetPort` is asked for each connection: several targets are what a balancer makes of an address. */
export async function openLink(targetPort: () => number): Promise<Link> {
  let mode: Mode = { kind: 'open' };
  const connections = new Set<Connection>();
  const server = createServer((near) => {
    near.on('error', () => undefined);
    if (mode.kind === 'cut') near.destroy();
    else join(near);
  });

  function join(near: Socket): void {
    const far = connect({ port: targetPort(), host: '127.0.0.1', noDelay: true });
    near.setNoDelay(true);
    far.on('error', () => undefined);
    const pipe = (source: Socket, target: Socket, direction: keyof Directions): Pipe => {
      const made: Pipe = { direction, target, held: [], dueAt: 0 };
      source.on('data', (bytes: Buffer) => pass(connection, made, bytes));
      source.on('close', () => pass(connection, made, 'end'));
      return made;
    };
    const connection: Connection = {
      sockets: [near, far],
      pipes: [pipe(near, far, 'from'), pipe(far, near, 'to')],
      torn: false,
    };
    connections.add(connection);
  }

  function pass(connection: Connection, pipe: Pipe, what: Buffer | 'end'): void {
    if ((mode.kind === 'swallow' || mode.kind === 'hold') && mode.directions[pipe.direction]) {
      if (mode.kind === 'hold') pipe.held.push(what);
      else connection.torn = true;
      return;
    }
    const now = performance.now();
    pipe.dueAt = Math.max(
      pipe.dueAt,
      mode.kind === 'slow' && mode.directions[pipe.direction] ? now + mode.delayMs : now,
    );
    if (pipe.dueAt <= now) deliver(connection, pipe, what);
    else setTimeout(() => deliver(connection, pipe, what), pipe.dueAt - now);
  }

  function deliver(connection: Connection, { target }: Pipe, what: Buffer | 'end'): void {
    if (what !== 'end') {
      if (!target.destroyed) target.write(what);
      return;
    }
    target.destroySoon();
    if (connection.sockets.every(({ destroyed }) => destroyed)) connections.delete(connection);
  }

  function reset(connection: Connection): void {
    for (const socket of connection.sockets) socket.destroy();
    connections.delete(connection);
  }

  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    cut() {
      mode = { kind: 'cut' };
      for (const connection of connections) reset(connection);
    },
    slow(delayMs, directions) {
      mode = { kind: 'slow', delayMs, directions };
    },
    swallow(directions) {
      mode = { kind: 'swallow', directions };
    },
    hold(directions) {
      mode = { kind: 'hold', directions };
    },
    heal() {
      mode = { kind: 'open' };
      for (const connection of connections) {
        if (connection.torn) reset(connection);
        else
          for (const pipe of connection.pipes) for (const what of pipe.held.splice(0)) deliver(connection, pipe, what);
      }
    },
    async close() {
      for (const connection of connections) reset(connection);
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
