import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { DEFAULT_TOKEN_PROFILE, createControlState, type Source } from '../../../src/control/index.js';
import { createKeySets, type KeySets } from '../../../src/registry/index.js';
import { testLog } from '../../support/services.js';

// A certificate for localhost, self-signed, for this spec alone.
const cert = readFileSync(new URL('./tls/localhost-cert.pem', import.meta.url), 'utf8');
const key = readFileSync(new URL('./tls/localhost-key.pem', import.meta.url), 'utf8');
const JWKS = { keys: [{ ...generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }), kid: 'one' }] };

const sourceOf = (jwksUri: string): Source => ({
  id: 'e0c8d1f0-0000-4000-8000-000000000001',
  tenant: 'e0c8d1f0-0000-4000-8000-000000000002',
  name: 'idp',
  uri: 'urn:idp',
  topic: 'rescind.events.idp',
  types: ['id-jag.issued'],
  issuers: ['https://idp.example'],
  resources: [],
  jwks_uri: jwksUri,
  profile: DEFAULT_TOKEN_PROFILE,
  disabled: false,
});

describe('a key set by URI', () => {
  let server: Server | undefined;
  let keySets: KeySets | undefined;

  afterEach(async () => {
    keySets?.stop();
    server?.closeAllConnections();
    await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  });

  async function foundAt(
    listener: RequestListener,
    options: { allowedHosts?: string[]; host?: string; ca?: string } = {},
  ): Promise<number> {
    server = createServer({ cert, key }, listener);
    await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    keySets = createKeySets({
      state: createControlState(),
      log: testLog(),
      allowedHosts: options.allowedHosts ?? ['localhost', '127.0.0.1'],
      ca: [options.ca ?? cert],
    });
    const found = await keySets.find(sourceOf(`https://${options.host ?? 'localhost'}:${port}/jwks`), {
      alg: 'EdDSA',
      kid: 'one',
    });
    return found.length;
  }

  const serve: RequestListener = (_, res) => void res.end(JSON.stringify(JWKS));

  it('is fetched from an allowed host', async () => {
    expect(await foundAt(serve)).toBe(1);
  });

  it.each(['localhost', '127.0.0.1'])('is not fetched from %s, which is not public, unless allowed', async (host) => {
    let asked = 0;
    const counting: RequestListener = (req, res) => {
      asked++;
      serve(req, res);
    };
    expect(await foundAt(counting, { allowedHosts: [], host })).toBe(0);
    expect(asked).toBe(0);
  });

  it('is not accepted from a server whose certificate does not verify', async () => {
    expect(await foundAt(serve, { ca: '' })).toBe(0);
  });

  it.each<[string, RequestListener]>([
    [
      'a redirect',
      (_, res) => void res.writeHead(302, { location: 'https://localhost/jwks' }).end(JSON.stringify(JWKS)),
    ],
    ['an error', (_, res) => void res.writeHead(500).end(JSON.stringify(JWKS))],
    ['what is not JSON', (_, res) => void res.end('<html>')],
    ['JSON without keys', (_, res) => void res.end('[]')],
    ['more than 64 KiB', (_, res) => void res.end(JSON.stringify({ ...JWKS, padding: 'x'.repeat(65_536) }))],
  ])('is not accepted from %s', async (_, listener) => {
    expect(await foundAt(listener)).toBe(0);
  });

  it('is no longer waited for after 3 s', async () => {
    const started = performance.now();
    expect(await foundAt((_, res) => void res.write('{'))).toBe(0);
    expect(performance.now() - started).toBeGreaterThanOrEqual(2_900);
  });
});
