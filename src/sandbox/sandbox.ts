import { createGuard, type Guard } from '../guard/index.js';
import { createKafka } from '../platform/kafka/index.js';
import { type Log } from '../platform/log/index.js';
import { crmRoutes, filesRoutes } from './app-routes.js';
import { CALLBACK_PATH, createBrowser, createClientApp, SIGNED_OUT_PATH, type ClientApp } from './client-app/index.js';
import type { EventPublisher } from './event-publisher.js';
import { bindLoopback, type BoundServer } from './http-server.js';
import { createIdp, type Idp, type IdpClient, type IdpUser } from './idp/index.js';
import {
  accountsAt,
  ANALYST,
  APP_NAMES,
  CLIENT_NAMES,
  clientIdAt,
  connections,
  createUsers,
  generateSecret,
  idpClient,
  type AppName,
  type ClientName,
  type UserName,
} from './organisation.js';
import { createHttpPublisher } from './publisher-http.js';
import { createKafkaPublisher, type KafkaPublisherOptions } from './publisher-kafka.js';
import { registerParties, type Registered, type RegisteredParty } from './registration.js';
import { createRescindAdmin } from './rescind-admin.js';
import type { RescindCredentials } from './rescind-introspection.js';
import { createResourceApp, type ResourceApp } from './resource-app/index.js';
import { createSigningKey } from './signing-key.js';

export interface SandboxOptions {
  readonly rescindUrl: string;
  /** Bearer key of a caller with the `admin` role. It registers the parties and is not kept. */
  readonly adminKey: string;
  /** null: the parties post their events over HTTP. */
  readonly brokers: readonly string[] | null;
  readonly log: Log;
  /** Rescind's console, at which the analyst signs in. Its identity provider is bound before Rescind starts, which must know the issuer. */
  readonly console?: { readonly idpServer: BoundServer; readonly clientId: string; readonly clientSecret: string };
  /** Suffix of every registered name, for deployments that share a broker. Default: none, or the first free number. */
  readonly suffix?: string;
}

export interface Sandbox {
  readonly idp: Idp;
  readonly apps: Readonly<Record<AppName, ResourceApp>>;
  readonly clients: Readonly<Record<ClientName, ClientApp>>;
  readonly users: Readonly<Record<UserName, IdpUser>>;
  /** Signs in to Rescind's console. */
  readonly analyst: IdpUser;
  /** Names, topics and secrets as registered with Rescind. */
  readonly registered: Registered;
  /** Signs a user in to a client, through the user's own browser. Throws if the IdP refuses. */
  signIn(user: UserName, client: ClientName): Promise<void>;
  /** Ends the session that `signIn` began. */
  signOut(user: UserName, client: ClientName): Promise<void>;
  stop(): Promise<void>;
}

/** Kafka mode and compression of each party, chosen so that every combination in use is tried. */
const DIALECTS: Readonly<Record<'idp' | AppName, Pick<KafkaPublisherOptions, 'mode' | 'compression'>>> = {
  idp: { mode: 'structured' },
  crm: { mode: 'binary', compression: 'gzip' },
  files: { mode: 'binary' },
};

/** Starts an identity provider, two resource applications, a web application and an AI agent, all registered with Rescind. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of stops.splice(0).toReversed()) await end();
  };
  try {
    return await start(options, stops, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(
  options: SandboxOptions,
  stops: (() => Promise<void>)[],
  stop: () => Promise<void>,
): Promise<Sandbox> {
  const { rescindUrl, log } = options;
  const bind = async (): Promise<BoundServer> => {
    const server = await bindLoopback();
    stops.push(() => server.stop());
    return server;
  };
  const idpServer = options.console?.idpServer ?? (await bind());
  const servers = {
    crm: { authorizationServer: await bind(), apiServer: await bind() },
    files: { authorizationServer: await bind(), apiServer: await bind() },
    wiki: await bind(),
    atlas: await bind(),
  };
  const keys = {
    idp: await createSigningKey('idp-1'),
    crm: await createSigningKey('crm-1'),
    files: await createSigningKey('files-1'),
  };
  const apiPath = { crm: '/api', files: '/v1' };
  const addresses = APP_NAMES.map((name) => ({
    name,
    issuer: servers[name].authorizationServer.origin,
    resource: `${servers[name].apiServer.origin}${apiPath[name]}`,
    key: keys[name],
    hasGuard: name === 'files',
  }));
  const registered = await registerParties(
    createRescindAdmin(rescindUrl, options.adminKey),
    { idp: { issuer: idpServer.origin, key: keys.idp }, apps: addresses },
    options.suffix,
  );

  const publisherOf = async (name: 'idp' | AppName): Promise<EventPublisher> => {
    const publisher = await createPublisher(options, party(registered, name), DIALECTS[name]);
    stops.push(() => publisher.stop());
    return publisher;
  };
  const users = createUsers();
  const analyst: IdpUser = { ...ANALYST, password: generateSecret() };
  const secrets = { wiki: clientSecrets(), atlas: clientSecrets() };

  const idp = await createIdp({
    server: idpServer,
    key: keys.idp,
    users: [...Object.values(users), analyst],
    clients: [
      ...CLIENT_NAMES.map((name) =>
        idpClient(
          name,
          secrets[name].idp,
          `${servers[name].origin}${CALLBACK_PATH}`,
          `${servers[name].origin}${SIGNED_OUT_PATH}`,
        ),
      ),
      ...consoleClient(options),
    ],
    publisher: await publisherOf('idp'),
    log,
  });

  const startApp = async (
    name: AppName,
    tokenFormat: 'jwt' | 'opaque',
    credentials: RescindCredentials,
    guard?: Guard,
  ): Promise<ResourceApp> =>
    createResourceApp({
      name,
      ...servers[name],
      apiPath: apiPath[name],
      routes: name === 'crm' ? crmRoutes() : filesRoutes(),
      tokenFormat,
      key: keys[name],
      trustedIdps: [idp.issuer],
      clients: CLIENT_NAMES.map((client) => ({
        clientId: clientIdAt(client, name),
        clientSecret: secrets[client][name],
      })),
      accounts: accountsAt(name, idp.issuer),
      rescind: { introspectionUrl: new URL('/introspect', rescindUrl).href, credentials },
      ...(guard === undefined ? {} : { guard }),
      publisher: await publisherOf(name),
      log,
    });
  const crmCaller = party(registered, 'crm');
  const filesKey = party(registered, 'files').secret;
  const guard = createGuard({
    rescind: rescindUrl,
    credentials: { key: filesKey },
    log: log.child({ party: 'files' }),
  });
  guard.start();
  stops.push(() => guard.stop());
  const apps = {
    crm: await startApp('crm', 'jwt', { method: 'client_secret_basic', id: crmCaller.name, secret: crmCaller.secret }),
    files: await startApp('files', 'opaque', { method: 'bearer', secret: filesKey }, guard),
  };

  const startClient = (name: ClientName): Promise<ClientApp> =>
    createClientApp({
      name,
      server: servers[name],
      idp: { issuer: idp.issuer, clientId: name, clientSecret: secrets[name].idp },
      registrations: APP_NAMES.map((app) => ({
        app,
        issuer: apps[app].issuer,
        resource: apps[app].resource,
        clientId: clientIdAt(name, app),
        clientSecret: secrets[name][app],
      })),
      log,
    });
  const clients = { wiki: await startClient('wiki'), atlas: await startClient('atlas') };

  for (const connection of connections(apps)) await idp.createConnection(connection);
  return { idp, apps, clients, users, analyst, registered, ...signing(clients, users), stop };
}

const consoleClient = ({ console: at, rescindUrl }: SandboxOptions): readonly IdpClient[] =>
  at === undefined
    ? []
    : [
        {
          clientId: at.clientId,
          clientSecret: at.clientSecret,
          redirectUri: new URL('/console/callback', rescindUrl).href,
          postLogoutRedirectUri: new URL('/console/welcome', rescindUrl).href,
          backchannelLogoutUri: new URL('/console/back-channel-logout', rescindUrl).href,
        },
      ];

function signing(
  clients: Readonly<Record<ClientName, ClientApp>>,
  users: Readonly<Record<UserName, IdpUser>>,
): Pick<Sandbox, 'signIn' | 'signOut'> {
  const browsers = new Map<UserName, ReturnType<typeof createBrowser>>();
  return {
    async signIn(user, client) {
      const browser = browsers.get(user) ?? createBrowser();
      browsers.set(user, browser);
      const { login, password, sub } = users[user];
      const first = await browser.open(clients[client].signInUrl);
      // A browser that already has a session at the IdP is sent straight back.
      const last = first.html.includes('name="password"') ? await browser.submit(first, { login, password }) : first;
      if (last.status !== 200 || !clients[client].isSignedIn(sub))
        throw new Error(`${user} was not signed in to ${client}`);
    },
    async signOut(user, client) {
      const browser = browsers.get(user);
      if (browser === undefined) throw new TypeError(`${user} has not signed in`);
      const confirmation = await browser.open(`${clients[client].signOutUrl}?sub=${users[user].sub}`);
      await browser.submit(confirmation, { logout: 'yes' });
    },
  };
}

async function createPublisher(
  { brokers, rescindUrl, log }: SandboxOptions,
  { name, uri, secret }: RegisteredParty,
  dialect: Pick<KafkaPublisherOptions, 'mode' | 'compression'>,
): Promise<EventPublisher> {
  if (brokers === null) {
    return createHttpPublisher({ rescindUrl, bearerKey: secret, source: uri });
  }
  return createKafkaPublisher({
    kafka: createKafka({ brokers, clientId: name, log }),
    sourceName: name,
    source: uri,
    ...dialect,
  });
}

function party(registered: Registered, name: string): RegisteredParty {
  const found = registered.parties.get(name);
  if (found === undefined) throw new TypeError(`${name} was not registered`);
  return found;
}

const clientSecrets = () => ({ idp: generateSecret(), crm: generateSecret(), files: generateSecret() });
