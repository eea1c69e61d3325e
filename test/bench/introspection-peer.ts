import type { RequestListener } from 'node:http';
import type { Adapter, AdapterPayload } from 'oidc-provider';
import * as parties from '../conformance/parties.js';

/** Who asks it, with a secret in HTTP Basic, as our caller does. */
const CLIENT = { client_id: 'chat-api', client_secret: 'a-secret-of-the-bench-and-of-nothing-else', redirect_uris: [], grant_types: [], response_types: [] };

export const PEER_AUTHORIZATION = `Basic ${Buffer.from(`${CLIENT.client_id}:${CLIENT.client_secret}`).toString('base64')}`;

/** An opaque access token as oidc-provider stores it, with what our own answer says of one. It belongs to no grant, which spares it a look-up. */
export const peerToken = (id: string, now: number, user: string): AdapterPayload => ({
  kind: 'AccessToken',
  jti: id,
  clientId: 'wiki-at-chat',
  accountId: user,
  scope: 'chat.read chat.history',
  aud: parties.API,
  iat: now - 30,
  exp: now + 3_000,
});

/** The introspection endpoint of oidc-provider: opaque tokens alone, it refuses to introspect its own JWTs. */
export async function createPeer(find: (id: string) => Promise<AdapterPayload | undefined>): Promise<RequestListener> {
  const { Provider } = await quietly(() => import('oidc-provider'));
  class PeerAdapter implements Adapter {
    readonly #isOfTokens: boolean;
    constructor(name: string) {
      this.#isOfTokens = name === 'AccessToken';
    }
    async find(id: string): Promise<AdapterPayload | undefined> {
      return this.#isOfTokens ? find(id) : undefined;
    }
    async upsert(): Promise<void> {}
    async findByUserCode(): Promise<undefined> {}
    async findByUid(): Promise<undefined> {}
    async consume(): Promise<void> {}
    async destroy(): Promise<void> {}
    async revokeByGrantId(): Promise<void> {}
  }
  return quietly(() => {
    const provider = new Provider(parties.RAS, {
      adapter: PeerAdapter,
      clients: [CLIENT],
      features: { introspection: { enabled: true, allowedPolicy: () => true }, devInteractions: { enabled: false } },
    });
    return provider.callback();
  });
}

export const PEER_PATH = '/token/introspection';

/** It tells the console of Node 20 when it is imported, and of its default keys when it is made. */
async function quietly<T>(make: () => T | Promise<T>): Promise<T> {
  const { warn, info } = console;
  console.warn = console.info = () => undefined;
  try {
    return await make();
  } finally {
    Object.assign(console, { warn, info });
  }
}
