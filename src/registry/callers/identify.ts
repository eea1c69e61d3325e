import type { IncomingMessage } from 'node:http';
import type { Authentication, Authenticator } from './authenticator.js';

/** Identifies the person whose browser sent a request, by the cookie of their session. */
export interface People {
  /** Says whether the request has the cookie of a session, good or not. */
  has(request: IncomingMessage): boolean;
  /** Resolves to the person as a caller with the rights of their roles, or to the refusal. Rejects if the sessions cannot be read. */
  identify(request: IncomingMessage): Promise<Authentication>;
}

/** Identifies whoever sent a request of the management API: a registered caller by its key, or a person by their session. */
export type Identify = (request: IncomingMessage, remoteAddress: string) => Authentication | Promise<Authentication>;

/** A request that presents a key is judged by it alone, whatever cookies its browser adds. */
export const createIdentify =
  (authenticate: Authenticator, people?: People): Identify =>
  (request, remoteAddress) => {
    const { authorization } = request.headers;
    return authorization === undefined && people?.has(request) === true
      ? people.identify(request)
      : authenticate({ authorization, remoteAddress });
  };
