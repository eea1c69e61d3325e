import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage, type Server } from 'node:http';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import Fastify from 'fastify';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { Answer } from '../answer.js';
import { createBearerVerifier, createMiddleware, fastifyGuard, type Middleware } from '../index.js';

const API = 'https://api.example';
const [cert, key] = ['cert', 'key'].map((name) => readFileSync(`test/integration/registry/tls/localhost-${name}.pem`));
const thumbprint = createHash('sha256').update(new X509Certificate(cert!).raw).digest('base64url');

let server: Server | undefined;
afterEach(async () => {
  await new Promise((resolve) => (server ? server.close(resolve).closeAllConnections() : resolve(undefined)));
  server = undefined;
});

async function listening(one: Server): Promise<number> {
  server = one;
  await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve));
  return (one.address() as AddressInfo).port;
}
const guarded = (answer: Answer, publicUrl?: string): Middleware =>
  createMiddleware({
    verifier: createBearerVerifier({
      guard: { check: () => answer },
      audience: API,
      ...(publicUrl === undefined ? {} : { dpop: { publicUrl } }),
    }),
  });

describe('on a real connection', () => {
  it('a token that is bound to a certificate is taken from the client that holds it, and from no other', async () => {
    const middleware = guarded({ state: 'active', claims: { aud: API, cnf: { 'x5t#S256': thumbprint } } });
    const port = await listening(
      createServer({ cert, key, requestCert: true, rejectUnauthorized: false }, (req, res) =>
        middleware(req, res, () => res.end('served')),
      ),
    );
    const ask = (client: object): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        request(
          {
            host: '127.0.0.1',
            port,
            ca: cert,
            servername: 'localhost',
            agent: false,
            headers: { authorization: 'Bearer at' },
            ...client,
          },
          (response) => {
            response.resume().once('end', () => resolve(response.statusCode));
          },
        )
          .once('error', reject)
          .end();
      });
    expect(await ask({ cert, key })).toBe(200);
    expect(await ask({})).toBe(401);
  });

  it('without TLS nobody holds a certificate, and a token that is bound to one is refused', async () => {
    const middleware = guarded({ state: 'active', claims: { aud: API, cnf: { 'x5t#S256': thumbprint } } });
    const port = await listening(createHttpServer((req, res) => middleware(req, res, () => res.end('served'))));
    expect((await fetch(`http://127.0.0.1:${port}/`, { headers: { authorization: 'Bearer at' } })).status).toBe(401);
  });

  it.each(['Connect', 'Fastify'])('a proxy may say which certificate the client holds: %s', async (framework) => {
    const verifier = createBearerVerifier({
      guard: { check: (): Answer => ({ state: 'active', claims: { aud: API, cnf: { 'x5t#S256': thumbprint } } }) },
      audience: API,
    });
    const certificate = ({ headers }: IncomingMessage): Uint8Array | undefined =>
      headers['x-client-cert'] === undefined ? undefined : Buffer.from(String(headers['x-client-cert']), 'base64');
    const fastify = Fastify();
    await fastify.register(fastifyGuard({ verifier, certificate }));
    fastify.get('/', async () => 'served');
    await fastify.ready();
    const middleware = createMiddleware({ verifier, certificate });
    const port = await listening(
      createHttpServer((req, res) =>
        framework === 'Fastify' ? fastify.routing(req, res) : middleware(req, res, () => res.end('served')),
      ),
    );
    const ask = async (headers: Record<string, string>): Promise<number> =>
      (await fetch(`http://127.0.0.1:${port}/`, { headers: { authorization: 'Bearer at', ...headers } })).status;
    const held = new X509Certificate(cert!).raw.toString('base64');
    expect([await ask({ 'x-client-cert': held }), await ask({}), await ask({ 'x-client-cert': 'AAAA' })]).toEqual([
      200, 401, 401,
    ]);
    await fastify.close();
  });

  it('a token that is bound to a key is taken with the proof for this method and the whole path, once', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = await exportJWK(publicKey);
    const middleware = guarded(
      { state: 'active', claims: { aud: API, cnf: { jkt: await calculateJwkThumbprint(jwk) } } },
      API,
    );
    const port = await listening(
      createHttpServer((req, res) => {
        // The form in which Express hands a request to a router that is mounted at `/v1`.
        const mounted = Object.assign(req, { originalUrl: req.url, url: req.url!.slice('/v1'.length) });
        middleware(mounted, res, () => res.end('served'));
      }),
    );
    const sign = (htu: string): Promise<string> =>
      new SignJWT({
        htm: 'GET',
        htu,
        jti: crypto.randomUUID(),
        ath: createHash('sha256').update('at').digest('base64url'),
      })
        .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
        .setIssuedAt()
        .sign(privateKey);
    const ask = async (dpop: string): Promise<number> =>
      (await fetch(`http://127.0.0.1:${port}/v1/things?x=1`, { headers: { authorization: 'DPoP at', dpop } })).status;
    const proof = await sign(`${API}/v1/things`);
    expect(await ask(proof)).toBe(200);
    expect(await ask(proof)).toBe(401);
    expect(await ask(await sign(`${API}/things`))).toBe(401);
    expect(await ask(`${await sign(`${API}/v1/things`)}, ${await sign(`${API}/v1/things`)}`)).toBe(400);
  });
});
