import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { Allowed, PresentedRequest, Refused, Verdict } from './bearer/bearer-verifier.js';
import { operationOf, type Operation, type Usage } from './usage.js';

/** The token of an admitted request, its claims (RFC 7662, 2.2) and its scopes. Adapters put it on the request as `access`. */
export type Access = Pick<Allowed, 'token' | 'claims' | 'scopes'>;

/** Returns the access of a request; undefined if no adapter has admitted the request. */
export function accessOf(request: object): Access | undefined {
  return (request as { access?: Access }).access;
}

/** Options of every adapter for tokens that are bound to a certificate (RFC 8705). */
export interface CertificateOptions {
  /**
   * For TLS that ends at a proxy: returns the certificate (DER) that the proxy reports for the client. Default: the connection's
   * certificate.
   */
  readonly certificate?: (request: IncomingMessage) => Uint8Array | undefined;
}

export function presentedOf(
  request: IncomingMessage,
  { certificate = peerCertificate }: CertificateOptions,
): PresentedRequest {
  const { headers, method = '', url = '/' } = request;
  // Express cuts off the path at which a router is mounted, but a DPoP proof names the whole path.
  const { originalUrl = url } = request as { originalUrl?: string };
  return {
    authorization: headers.authorization,
    dpop: headers['dpop'],
    method,
    url: originalUrl,
    certificate: () => certificate(request),
  };
}

function peerCertificate({ socket }: IncomingMessage): Uint8Array | undefined {
  const certificate = (socket as Partial<TLSSocket>).getPeerCertificate?.();
  return certificate && 'raw' in certificate ? certificate.raw : undefined;
}

export function sendRefusal(response: ServerResponse, { status, headers, body }: Refused): void {
  response.writeHead(status, { ...headers, 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

/** Names the application's operation that a request performs, for the usage report. */
export interface Described {
  readonly operation?: Operation;
  /** Template of the route, or name of the tool; never the path itself. */
  readonly route?: string;
}

/** Reports the outcome of a request after its response has been sent, so that no client waits for the report. */
export function reportWhenDone(
  usage: Usage,
  verdict: Verdict,
  request: IncomingMessage,
  response: ServerResponse,
  describe: () => Described,
): void {
  if (verdict.token === undefined) return;
  const { token, claims } = verdict;
  const address = request.socket.remoteAddress;
  response.once('close', () => {
    const { operation = operationOf(request.method), route } = describe();
    usage.report({
      token,
      claims,
      outcome: verdict.allowed ? 'allowed' : 'denied',
      operation,
      ...(route === undefined ? {} : { route }),
      status: response.statusCode,
      ...(address === undefined ? {} : { clientAddress: address }),
      ...(verdict.allowed || verdict.error === undefined ? {} : { error: verdict.error }),
    });
  });
}
