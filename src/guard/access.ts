import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { Allowed, PresentedRequest, Refused, Verdict } from './bearer/bearer-verifier.js';
import { operationOf, type Operation, type Usage } from './usage.js';

/** What a request was admitted with; adapters put it on the request as `access`. */
export type Access = Pick<Allowed, 'token' | 'claims' | 'scopes'>;

/** Undefined for a request that no adapter has admitted. */
export function accessOf(request: object): Access | undefined {
  return (request as { access?: Access }).access;
}

export interface CertificateOptions {
  /** Where TLS ends at a proxy: the certificate (DER) that the proxy says the client holds. Default: that of the connection. */
  readonly certificate?: (request: IncomingMessage) => Uint8Array | undefined;
}

export function presentedOf(request: IncomingMessage, { certificate = peerCertificate }: CertificateOptions): PresentedRequest {
  const { headers, method = '', url = '/' } = request;
  // Express cuts off where a router is mounted; a proof names the whole path.
  const { originalUrl = url } = request as { originalUrl?: string };
  return { authorization: headers.authorization, dpop: headers['dpop'], method, url: originalUrl, certificate: () => certificate(request) };
}

function peerCertificate({ socket }: IncomingMessage): Uint8Array | undefined {
  const certificate = (socket as Partial<TLSSocket>).getPeerCertificate?.();
  return certificate && 'raw' in certificate ? certificate.raw : undefined;
}

export function sendRefusal(response: ServerResponse, { status, headers, body }: Refused): void {
  response.writeHead(status, { ...headers, 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

/** Which of the application's operations a request is, for the record. */
export interface Described {
  readonly operation?: Operation;
  /** Template of the route or name of the tool, never the path itself. */
  readonly route?: string;
}

/** Tells what became of the request once its answer is out, so that nobody waits for it. */
export function reportWhenDone(usage: Usage, verdict: Verdict, request: IncomingMessage, response: ServerResponse, describe: () => Described): void {
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
