import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { EgressError, type Destination } from '../../platform/egress/index.js';

/** Milliseconds until the connection is there, with TLS. */
const CONNECT_MS = 5_000;
/** Milliseconds until the frame is on its way, and then until the receiver has closed the connection in turn. */
const CLOSE_MS = 5_000;
/** A receiver that closes within so many milliseconds of the frame has not taken it: a proxy does so that finds nobody behind it. */
const TAKEN_AFTER_MS = 500;

/**
 * Sends a frame over TLS on a connection of its own, and closes it as RFC 5425 asks. Syslog has no answer: it resolves if the receiver does not close
 * first, and then closes the connection in turn, or keeps it open without an error. Rejects with `EgressError`.
 */
export function sendFrame(
  { host, lookup, ca }: Destination,
  port: number,
  frame: Buffer,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port,
      lookup,
      minVersion: 'TLSv1.2',
      // A name in the certificate is checked against the host, an address too.
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(ca === undefined ? {} : { ca: [...ca] }),
    });
    let isTaken = false;
    let timer = setTimeout(() => fail(new EgressError('slow', 'no connection in time')), CONNECT_MS);
    const abort = (): void => fail(new EgressError('slow', 'the attempt was ended'));

    function settle(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      socket.destroy();
    }
    function fail(error: EgressError): void {
      settle();
      reject(error);
    }
    function succeed(): void {
      settle();
      resolve();
    }

    function close(): void {
      if (socket.destroyed) return;
      isTaken = true;
      timer = setTimeout(succeed, CLOSE_MS);
      socket.end();
    }

    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    socket.once('secureConnect', () => {
      clearTimeout(timer);
      timer = setTimeout(() => fail(new EgressError('slow', 'the receiver does not read')), CLOSE_MS);
      socket.write(frame, (error) => {
        if (error) return;
        clearTimeout(timer);
        timer = setTimeout(() => setImmediate(close), TAKEN_AFTER_MS);
      });
    });
    // An answer of the receiver is read and not kept.
    socket.resume();
    socket.on('error', (error) => fail(problemOf(socket, error)));
    socket.once('close', () =>
      isTaken ? succeed() : fail(new EgressError('unreachable', 'the connection was closed')),
    );
  });
}

/** Says what is wrong, without the address. */
function problemOf(socket: TLSSocket, error: NodeJS.ErrnoException): EgressError {
  if (error instanceof EgressError) return error;
  if (
    socket.authorizationError ||
    error.code?.startsWith('ERR_TLS_') ||
    /CERT|SELF_SIGNED|ISSUER/.test(error.code ?? '')
  )
    return new EgressError('unreachable', `the certificate is not trusted (${error.code ?? 'unknown'})`);
  return new EgressError('unreachable', `no connection (${error.code ?? 'unknown'})`);
}
