import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../fault/linearizability/node.js';
import { launchServer, type ServerProcess } from './server-process.js';

const run = promisify(execFile);
const VERSION = '26.7.3';
/** The distribution, unpacked once: 195 MB. */
const HOME = resolve(`node_modules/.cache/rescind-keycloak-${VERSION}`);
const DOWNLOAD_MS = 600_000;

export const REALM = 'acme';
export const API = 'crm-api';
export const CLIENT = { id: 'crm-app', secret: 'crm-app-secret' } as const;
export const USER = { name: 'alice', password: 'alice-password' } as const;
/** The user's name at the identity provider that issues ID-JAGs. */
export const IDP_SUBJECT = 'idp-alice';

export interface Keycloak {
  readonly issuer: string;
  readonly jwksUri: string;
  /** Id of {@link USER}, the `sub` of its tokens. */
  readonly userId: string;
  /** Answers of the token endpoint to {@link CLIENT}. */
  token(form: Readonly<Record<string, string>>): Promise<TokenAnswer>;
  stop(): Promise<void>;
}

export interface TokenAnswer {
  readonly access_token: string;
  readonly refresh_token?: string;
}

export interface KeycloakOptions {
  /** The identity provider whose ID-JAGs it redeems: issuer and public keys, a JWK set as text. */
  readonly idp: { readonly issuer: string; readonly jwks: string; readonly alg: string };
}

/** Starts a Keycloak as it comes, in memory, with one realm, one user, one client and one API. */
export async function startKeycloak({ idp }: KeycloakOptions): Promise<Keycloak> {
  await unpack();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const password = randomBytes(16).toString('hex');
  const server = launch(port, password);
  try {
    await server.untilItAnswers(`${url}/realms/master`);
    const admin = createAdmin(url, password);
    const userId = await configure(admin, idp);
    const issuer = `${url}/realms/${REALM}`;
    return {
      issuer,
      jwksUri: `${issuer}/protocol/openid-connect/certs`,
      userId,
      token: (form) => askForToken(issuer, { client_id: CLIENT.id, client_secret: CLIENT.secret, ...form }),
      stop: () => server.stop(),
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** Into a directory of another name that is renamed when complete, so that an interrupted download is not taken for a whole one. */
async function unpack(): Promise<void> {
  if (existsSync(HOME)) return;
  const draft = `${HOME}.${randomBytes(4).toString('hex')}`;
  await mkdir(draft, { recursive: true });
  try {
    // Run there: without a project, Maven leaves its markers in the directory it is started in.
    await run(
      'mvn',
      [
        '-q',
        '-B',
        'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:unpack',
        `-Dartifact=org.keycloak:keycloak-quarkus-dist:${VERSION}:zip`,
        `-DoutputDirectory=${draft}`,
      ],
      { cwd: draft, timeout: DOWNLOAD_MS },
    );
    await rename(join(draft, `keycloak-${VERSION}`), HOME);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

function launch(port: number, password: string): ServerProcess {
  const features = 'identity-assertion-jwt,jwt-authorization-grant';
  const args = [
    join(HOME, 'bin/kc.sh'),
    'start-dev',
    '--db=dev-mem',
    '--http-host=127.0.0.1',
    `--http-port=${port}`,
    `--features=${features}`,
  ];
  return launchServer('Keycloak', 'bash', args, {
    KC_BOOTSTRAP_ADMIN_USERNAME: 'admin',
    KC_BOOTSTRAP_ADMIN_PASSWORD: password,
    JAVA_OPTS_APPEND: '-Xmx768m',
  });
}

type Admin = (method: string, path: string, body?: object) => Promise<any>;

/** The admin API. Its tokens live for a minute, so each call takes one. */
const createAdmin =
  (url: string, password: string): Admin =>
  async (method, path, body) => {
    const { access_token: token } = await askForToken(`${url}/realms/master`, {
      grant_type: 'password',
      client_id: 'admin-cli',
      username: 'admin',
      password,
    });
    const response = await fetch(`${url}/admin/realms${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === '' ? undefined : (JSON.parse(text) as unknown);
  };

async function configure(admin: Admin, idp: KeycloakOptions['idp']): Promise<string> {
  await admin('POST', '', { realm: REALM, enabled: true, sslRequired: 'none' });
  const inRealm: Admin = (method, path, body) => admin(method, `/${REALM}${path}`, body);
  await inRealm('POST', '/clients', { clientId: API, bearerOnly: true });
  await inRealm('POST', '/clients', {
    clientId: CLIENT.id,
    secret: CLIENT.secret,
    publicClient: false,
    directAccessGrantsEnabled: true,
    serviceAccountsEnabled: true,
    attributes: {
      'standard.token.exchange.enabled': 'true',
      'oauth2.jwt.authorization.grant.enabled': 'true',
      'oauth2.jwt.authorization.grant.idp': 'wiki-idp',
    },
  });
  await inRealm('POST', '/users', {
    username: USER.name,
    enabled: true,
    emailVerified: true,
    email: 'alice@acme.example',
    firstName: 'Alice',
    lastName: 'Adams',
    credentials: [{ type: 'password', value: USER.password, temporary: false }],
  });
  const idOf = async (clientId: string): Promise<string> =>
    ((await inRealm('GET', `/clients?clientId=${clientId}`)) as { id: string }[])[0]!.id;
  const [apiId, [user]] = [await idOf(API), (await inRealm('GET', `/users?username=${USER.name}`)) as { id: string }[]];
  // A role at the API puts it into `aud` of whoever has the role.
  await inRealm('POST', `/clients/${apiId}/roles`, { name: 'reader' });
  const role = (await inRealm('GET', `/clients/${apiId}/roles/reader`)) as object;
  const service = (await inRealm('GET', `/clients/${await idOf(CLIENT.id)}/service-account-user`)) as { id: string };
  for (const id of [user!.id, service.id])
    await inRealm('POST', `/users/${id}/role-mappings/clients/${apiId}`, [role] as object);
  await inRealm('POST', '/identity-provider/instances', {
    alias: 'wiki-idp',
    providerId: 'jwt-authorization-grant',
    enabled: true,
    config: {
      issuer: idp.issuer,
      useJwksUrl: 'false',
      publicKeySignatureVerifier: idp.jwks,
      jwtAuthorizationGrantEnabled: 'true',
      jwtAuthorizationGrantAssertionSignatureAlg: idp.alg,
    },
  });
  await inRealm('POST', `/users/${user!.id}/federated-identity/wiki-idp`, {
    userId: IDP_SUBJECT,
    userName: IDP_SUBJECT,
  });
  return user!.id;
}

async function askForToken(issuer: string, form: Readonly<Record<string, string>>): Promise<TokenAnswer> {
  const response = await fetch(`${issuer}/protocol/openid-connect/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(form).toString(),
  });
  const answer = (await response.json()) as TokenAnswer & { error?: string };
  if (!response.ok) throw new Error(`${form['grant_type']}: ${response.status} ${JSON.stringify(answer)}`);
  return answer;
}
