import type { IncomingMessage } from 'node:http';

/** Returns the address that a request comes from, for the throttle of failed authentication. */
export type RemoteAddress = (req: Pick<IncomingMessage, 'headers' | 'socket'>) => string;

const peer: RemoteAddress = ({ socket }) => socket.remoteAddress ?? '';

/**
 * The last hop of `X-Forwarded-For`, which the trusted proxy itself wrote: whatever stands before it, a client may have
 * written. As the framework's own routes see it (one hop). Without the header the proxy asks for itself.
 */
const lastHop: RemoteAddress = (req) => {
  const forwarded = req.headers['x-forwarded-for'];
  // Node joins repeated headers of this name with a comma; a list type is only there for `set-cookie`.
  const text = Array.isArray(forwarded) ? forwarded.join(',') : (forwarded ?? '');
  const hop = text.slice(text.lastIndexOf(',') + 1).trim();
  return hop === '' ? peer(req) : hop;
};

/** For the handlers in front of the framework; `trustedProxy` as in `config.listen`. */
export const createRemoteAddress = ({ trustedProxy }: { readonly trustedProxy: boolean }): RemoteAddress =>
  trustedProxy ? lastHop : peer;
