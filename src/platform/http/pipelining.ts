import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

type Handler = (req: IncomingMessage, res: ServerResponse) => void;

/** Requests of one connection that may wait for earlier answers. A client that sends more at once is cut off. */
export const MAX_WAITING = 64;

/**
 * Serves the next request of a connection after the previous answer has gone out. Node hands over pipelined requests at once and holds
 * back their answers to keep the order. An answer would then be decided before a rule's confirmation and sent after it.
 */
export function oneAfterAnother(serve: Handler): Handler {
  const waiting = new WeakMap<Socket, number>();

  function wait(req: IncomingMessage, res: ServerResponse): void {
    const { socket } = req;
    const count = (waiting.get(socket) ?? 0) + 1;
    if (count > MAX_WAITING) return void socket.destroy();
    waiting.set(socket, count);
    res.once('socket', () => {
      waiting.set(socket, waiting.get(socket)! - 1);
      // Node flushes the response after this event, so a handler that answers at once must run later.
      process.nextTick(serve, req, res);
    });
  }

  // Node gives a response its socket when the earlier responses have gone out.
  return (req, res) => (res.socket === null ? wait(req, res) : serve(req, res));
}
