import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { TokenIssued } from '../../src/contracts/index.js';
import { createMemoryWorld, NOW, type MemoryWorld } from './memory-world.js';
import * as parties from './parties.js';
import { makeKey, signJwt, type SigningKey } from './signing.js';

// A certificate for localhost, self-signed, for specs alone.
const tls = (name: string): string =>
  readFileSync(new URL(`../integration/registry/tls/${name}.pem`, import.meta.url), 'utf8');
const cert = tls('localhost-cert');
const INACTIVE = '{"active":false}';
/** Milliseconds after a good and after a failed fetch in which an unknown `kid` makes no set be fetched again; for how long the last good set counts. */
const REFETCH_MS = 1_000;
const REFETCH_FAILED_MS = 30_000;
const DAY_MS = 24 * 3_600_000;

const oldKey = makeKey('ES256', 'ras-1');
const newKey = makeKey('ES256', 'ras-2');

/** A RAS that publishes its keys over HTTPS, and a node that introspects its tokens. */
let published: readonly SigningKey[] | undefined;
let fetches: number;
let clockMs: number;
let server: Server;
let world: MemoryWorld;
beforeEach(async () => {
  published = [oldKey];
  fetches = 0;
  clockMs = 0;
  server = createServer({ cert, key: tls('localhost-key') }, (_, res) => {
    fetches++;
    if (published) res.end(JSON.stringify({ keys: published.map(({ jwk }) => jwk) }));
    else res.writeHead(503).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  world = createMemoryWorld({ fetching: { ca: [cert], monotonic: () => clockMs } });
  const { jwks: _, ...source } = parties.RAS_SOURCE;
  const body = { ...source, jwks_uri: `https://localhost:${(server.address() as AddressInfo).port}/jwks` };
  world.apply({ kind: 'source.changed', tenant: parties.TENANT.id, subject: body.id, body });
});
afterEach(async () => {
  await world.stop();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

let issued = 0;
function issue(key: SigningKey): string {
  const facts: TokenIssued = parties.tokenFacts(NOW, { jti: `at-${issued++}` });
  world.recordToken(facts);
  return signJwt(key, parties.claimsOf(facts));
}
const isActive = async (token: string): Promise<boolean> => {
  const { kind, body } = await world.ask(token);
  expect(kind).toBe('decided');
  return body !== INACTIVE;
};
/** A `kid` that nobody knows makes the node look again. */
async function lookAgain(): Promise<void> {
  clockMs += REFETCH_MS;
  await isActive(issue(makeKey('ES256', 'unknown')));
}

describe('a RAS that rotates its keys', () => {
  it('its tokens verify with the new key once it is published, and with both keys while both are published', async () => {
    const old = issue(oldKey);
    expect(await isActive(old)).toBe(true);
    published = [oldKey, newKey];
    clockMs += REFETCH_MS;
    expect(await isActive(issue(newKey))).toBe(true);
    expect(await isActive(old)).toBe(true);
    expect(await isActive(issue(oldKey))).toBe(true);
  });

  it('its keys are fetched at most once a second, whatever key ids tokens name', async () => {
    await isActive(issue(oldKey));
    for (let at = 0; at < 10; at++) await isActive(issue(makeKey('ES256', `unknown-${at}`)));
    expect(fetches).toBe(1);
  });

  it('tokens refused earlier are verified again after it publishes another key under the same kid', async () => {
    const successor = makeKey('ES256', oldKey.kid);
    expect(await isActive(issue(oldKey))).toBe(true);
    const token = issue(successor);
    expect(await isActive(token)).toBe(false);
    expect(await isActive(token)).toBe(false);
    published = [oldKey, successor];
    await lookAgain();
    expect(await isActive(token)).toBe(true);
  });
});

describe('a RAS that withdraws a key', () => {
  it('tokens that the key verified or signed are no longer active', async () => {
    published = [oldKey, newKey];
    const [old, other] = [issue(oldKey), issue(newKey)];
    expect([await isActive(old), await isActive(other)]).toEqual([true, true]);
    published = [newKey];
    await lookAgain();
    expect([await isActive(old), await isActive(issue(oldKey)), await isActive(other)]).toEqual([false, false, true]);
  });
});

describe('a RAS that cannot be asked for its keys', () => {
  it('its tokens verify with the keys it published last, for a day', async () => {
    const token = issue(oldKey);
    expect(await isActive(token)).toBe(true);
    published = undefined;
    await lookAgain();
    clockMs = DAY_MS;
    expect([await isActive(token), await isActive(issue(oldKey))]).toEqual([true, true]);
    clockMs = DAY_MS + 1;
    expect([await isActive(token), await isActive(issue(oldKey))]).toEqual([false, false]);
  });

  it('its tokens verify again when it answers again', async () => {
    published = undefined;
    const token = issue(oldKey);
    expect(await isActive(token)).toBe(false);
    published = [oldKey];
    clockMs += REFETCH_FAILED_MS;
    expect(await isActive(token)).toBe(true);
  });
});
