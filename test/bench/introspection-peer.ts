import { fork, type ChildProcess } from 'node:child_process';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Adapter, AdapterPayload } from 'oidc-provider';
import { createPool } from '../../src/platform/postgres/index.js';
import * as parties from '../conformance/parties.js';
import { answerOf, heard, opaqueToken, requestOf, type Load } from './introspection-load.js';

/** The client that asks it, with a secret in HTTP Basic, as our caller does. */
const CLIENT = {
  client_id: 'chat-api',
  client_secret: 'a-secret-of-the-bench-and-of-nothing-else',
  redirect_uris: [],
  grant_types: [],
  response_types: [],
};
const AUTHORIZATION = `Basic ${Buffer.from(`${CLIENT.client_id}:${CLIENT.client_secret}`).toString('base64')}`;
const PATH = '/token/introspection';

/** Connections to PostgreSQL: as many as a question of ours can find free, and some. */
const CONNECTIONS = 4;

export interface Peer {
  readonly child: ChildProcess;
  /** Asks it about the bench's tokens, one after the other. */
  load(over: Omit<Load, 'port' | 'next' | 'child'>): Load;
}

interface PeerOptions {
  /** How many opaque tokens it issued. */
  readonly tokens: number;
  /** URL of the database that keeps the tokens. Default: memory. */
  readonly url?: string;
}

/**
 * The introspection endpoint of oidc-provider in a process of its own, for opaque tokens alone: it refuses to introspect its
 * own JWTs. Its tokens belong to no grant, which spares it a look-up.
 */
export async function startPeer(options: PeerOptions): Promise<Peer> {
  const child = fork(fileURLToPath(import.meta.url), ['peer', JSON.stringify(options)]);
  const { port } = await heard<{ port: number }>(child);
  let at = 0;
  const next = (): Buffer =>
    requestOf({ path: PATH, authorization: AUTHORIZATION, token: opaqueToken(at++ % options.tokens) });
  return { child, load: (over) => ({ ...over, port, next, child }) };
}

/** A token as oidc-provider stores it, with the members that our own answer has. */
const payloadOf = (id: string, at: number, now: number): AdapterPayload => ({
  kind: 'AccessToken',
  jti: id,
  clientId: 'wiki-at-chat',
  accountId: `chat-u-${at % 5_000}`,
  scope: 'chat.read chat.history',
  aud: parties.API,
  iat: now - 30,
  exp: now + 3_000,
});

type Find = (id: string) => Promise<AdapterPayload | undefined>;

async function serve({ tokens, url }: PeerOptions): Promise<void> {
  const now = Math.floor(Date.now() / 1000);
  const payloads = Array.from({ length: tokens }, (_, at) => payloadOf(opaqueToken(at), at, now));
  const find = url === undefined ? inMemory(payloads) : await inPostgres(payloads, url);
  const server = createServer(await createListener(find));
  server.listen(0, '127.0.0.1', () => process.send!({ port: (server.address() as AddressInfo).port }));
  process.on('message', (message) => process.send!(answerOf(message)!));
}

function inMemory(payloads: readonly AdapterPayload[]): Find {
  const stored = new Map(payloads.map((payload) => [payload.jti, payload]));
  return async (id) => stored.get(id);
}

/** Found by id, a statement a question, as its adapters do. */
async function inPostgres(payloads: readonly AdapterPayload[], url: string): Promise<Find> {
  const pool = createPool({ url, max: CONNECTIONS, applicationName: 'peer' });
  await pool.query('CREATE TABLE peer_token (id text PRIMARY KEY, payload jsonb NOT NULL)');
  await pool.query("INSERT INTO peer_token SELECT p->>'jti', p FROM jsonb_array_elements($1::jsonb) p", [
    JSON.stringify(payloads),
  ]);
  return async (id) => {
    const { rows } = await pool.query<{ payload: AdapterPayload }>({
      name: 'find',
      text: 'SELECT payload FROM peer_token WHERE id = $1',
      values: [id],
    });
    return rows[0]?.payload;
  };
}

async function createListener(find: Find): Promise<RequestListener> {
  // oidc-provider warns on the console about Node 20 when it is imported, and about its default keys when it is made.
  console.warn = console.info = () => undefined;
  const { Provider } = await import('oidc-provider');
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
  const provider = new Provider(parties.RAS, {
    adapter: PeerAdapter,
    clients: [CLIENT],
    features: { introspection: { enabled: true, allowedPolicy: () => true }, devInteractions: { enabled: false } },
  });
  return provider.callback();
}

const [role, options] = process.argv.slice(2);
if (role === 'peer' && process.send) await serve(JSON.parse(options!) as PeerOptions);
