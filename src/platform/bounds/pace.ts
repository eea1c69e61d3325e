import type { Socket } from 'node:net';

/**
 * Runs work of one connection at most once in `everyMs`; further work waits. A connection whose work would wait longer than `maxBehindMs`
 * is cut off.
 */
export type Pace = (socket: Socket, work: () => void) => void;

export function createPace({ everyMs, maxBehindMs }: { readonly everyMs: number; readonly maxBehindMs: number }): Pace {
  const nextAt = new WeakMap<Socket, number>();
  return (socket, work) => {
    const now = performance.now();
    const at = Math.max(now, nextAt.get(socket) ?? 0);
    if (at - now > maxBehindMs) return void socket.destroy();
    nextAt.set(socket, at + everyMs);
    if (at === now) work();
    else setTimeout(work, at - now);
  };
}
