import type { EventDataOf, EventName } from '../../src/contracts/index.js';
import { createLog } from '../../src/platform/log/index.js';
import {
  bindLoopback,
  createBrowser,
  createClientApp,
  createIdp,
  createResourceApp,
  createSigningKey,
  type ApiRoute,
  type Browser,
  type ClientApp,
  type EventPublisher,
  type Idp,
  type ResourceApp,
  type SigningKey,
} from '../../src/sandbox/index.js';

export interface Told {
  readonly name: EventName;
  readonly data: EventDataOf[EventName];
}

export interface Parties {
  readonly idp: Idp;
  readonly idpKey: SigningKey;
  readonly app: ResourceApp;
  readonly client: ClientApp;
  readonly otherClient: ClientApp;
  readonly browser: Browser;
  /** Events that the parties published, in order. */
  readonly told: Told[];
  /** Requests of the parties to the introspection endpoint: hint, authorization, token. */
  readonly asked: { readonly hint: string; readonly authorization: string; readonly token: string }[];
  /** How the endpoint answers; `unavailable` is 503. */
  answerWith(answer: 'active' | 'inactive' | 'unavailable'): void;
  signIn(login: string, password: string): Promise<number>;
  stop(): Promise<void>;
}

export const PASSWORD = 'correct horse battery staple';
export const APP_SECRET = 'secret-of-the-agent-at-crm';

const routes: readonly ApiRoute[] = [
  {
    method: 'GET',
    template: '/contacts',
    scope: 'crm.read',
    operation: 'read',
    serve: () => ({ status: 200, body: { contacts: [1, 2] }, records: 2 }),
  },
  {
    method: 'GET',
    template: '/contacts/{id}',
    scope: 'crm.read',
    operation: 'read',
    serve: (id) => ({ status: 200, body: { id }, records: 1 }),
  },
  {
    method: 'POST',
    template: '/contacts',
    scope: 'crm.write',
    operation: 'write',
    serve: () => ({ status: 201, body: {}, records: 1 }),
  },
];

/** One IdP, one resource application and two clients, with an introspection endpoint that answers as it is told. */
export async function startParties(tokenFormat: 'jwt' | 'opaque'): Promise<Parties> {
  const log = createLog({ level: 'silent' });
  const told: Told[] = [];
  const publisher: EventPublisher = {
    async publish(name, data) {
      told.push({ name, data });
    },
    async stop() {},
  };
  const endpoint = await startIntrospectionEndpoint();
  const [idpServer, authorizationServer, apiServer, agentServer, wikiServer] = await Promise.all([
    bindLoopback(),
    bindLoopback(),
    bindLoopback(),
    bindLoopback(),
    bindLoopback(),
  ]);
  const idpKey = await createSigningKey('idp-1');
  const at = (origin: string) => ({ redirectUri: `${origin}/callback`, postLogoutRedirectUri: `${origin}/signed-out` });
  const idp = await createIdp({
    server: idpServer,
    key: idpKey,
    users: [
      { sub: 'alice', login: 'alice', password: PASSWORD, name: 'Alice' },
      { sub: 'bob', login: 'bob', password: PASSWORD, name: 'Bob' },
    ],
    clients: [
      {
        clientId: 'atlas',
        clientSecret: 'atlas-secret',
        ...at(agentServer.origin),
        agent: { id: 'atlas', type: 'ai_agent' },
      },
      { clientId: 'wiki', clientSecret: 'wiki-secret', ...at(wikiServer.origin) },
    ],
    publisher,
    log,
  });
  const app = await createResourceApp({
    name: 'crm',
    authorizationServer,
    apiServer,
    apiPath: '/api',
    routes,
    tokenFormat,
    key: await createSigningKey('crm-1'),
    trustedIdps: [idp.issuer],
    clients: [
      { clientId: 'atlas-at-crm', clientSecret: APP_SECRET },
      { clientId: 'wiki-at-crm', clientSecret: 'wiki-at-crm-secret' },
    ],
    accounts: [
      { iss: idp.issuer, sub: 'alice', local: 'crm-1001' },
      { iss: idp.issuer, sub: 'bob', local: 'crm-1002', suspended: true },
    ],
    rescind: {
      introspectionUrl: endpoint.url,
      credentials:
        tokenFormat === 'jwt'
          ? { method: 'client_secret_basic', id: 'crm', secret: 'a secret & more' }
          : { method: 'bearer', secret: 'bearer-key' },
    },
    publisher,
    log,
  });
  endpoint.setOpaqueAudience(app.resource);
  const clientOf = (name: 'atlas' | 'wiki', server: typeof agentServer, secret: string) =>
    createClientApp({
      name,
      server,
      idp: { issuer: idp.issuer, clientId: name, clientSecret: `${name}-secret` },
      registrations: [
        { app: 'crm', issuer: app.issuer, resource: app.resource, clientId: `${name}-at-crm`, clientSecret: secret },
      ],
      log,
    });
  const client = await clientOf('atlas', agentServer, APP_SECRET);
  const otherClient = await clientOf('wiki', wikiServer, 'wiki-at-crm-secret');
  for (const [name, users] of [
    ['atlas', { alice: ['crm.read'], bob: ['crm.read'] }],
    ['wiki', { alice: ['crm.read'] }],
  ] as const) {
    await idp.createConnection({
      idpClientId: name,
      audience: app.issuer,
      resource: app.resource,
      clientId: `${name}-at-crm`,
      scopes: ['crm.read', 'crm.write'],
      users,
    });
  }
  told.length = 0;
  const browser = createBrowser();
  return {
    idp,
    idpKey,
    app,
    client,
    otherClient,
    browser,
    told,
    asked: endpoint.asked,
    answerWith: endpoint.answerWith,
    async signIn(login, password) {
      return (await browser.submit(await browser.open(client.signInUrl), { login, password })).status;
    },
    async stop() {
      await Promise.all([client.stop(), otherClient.stop(), app.stop(), idp.stop(), endpoint.stop()]);
    },
  };
}

async function startIntrospectionEndpoint() {
  const server = await bindLoopback();
  const asked: Parties['asked'] = [];
  let opaqueAudience = '';
  let answer: 'active' | 'inactive' | 'unavailable' = 'active';
  server.serve((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const form = new URLSearchParams(Buffer.concat(chunks).toString());
      const token = form.get('token') ?? '';
      asked.push({
        hint: form.get('token_type_hint') ?? '',
        authorization: request.headers.authorization ?? '',
        token,
      });
      if (answer === 'unavailable') return response.writeHead(503).end();
      const claims = token.split('.').length === 3 ? readClaims(token) : { aud: opaqueAudience, scope: 'crm.read' };
      response.writeHead(200, { 'content-type': 'application/json' });
      return response.end(JSON.stringify(answer === 'active' ? { active: true, ...claims } : { active: false }));
    });
  });
  return {
    url: `${server.origin}/introspect`,
    asked,
    answerWith(next: typeof answer) {
      answer = next;
    },
    setOpaqueAudience(audience: string) {
      opaqueAudience = audience;
    },
    stop: () => server.stop(),
  };
}

function readClaims(jwt: string): object {
  return JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString('utf8')) as object;
}
