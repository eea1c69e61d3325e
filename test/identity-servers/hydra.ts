import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../fault/linearizability/node.js';
import { launchServer } from './server-process.js';

const run = promisify(execFile);
const MODULE = 'github.com/ory/hydra/v2';
const VERSION = 'v2.3.0';
const HOME = resolve(`node_modules/.cache/rescind-hydra-${VERSION}`);
const BINARY = join(HOME, 'hydra');
/** Two hundred modules, SQLite among them. */
const BUILD_MS = 2_400_000;

export const CLIENT = { id: 'crm-app', secret: 'crm-app-secret' } as const;

export interface Hydra {
  readonly issuer: string;
  readonly jwksUri: string;
  /** The audience that an ID-JAG must name, and that its token names. */
  readonly tokenEndpoint: string;
  token(form: Readonly<Record<string, string>>): Promise<string>;
  stop(): Promise<void>;
}

export interface HydraOptions {
  readonly audience: string;
  /** The identity provider whose ID-JAGs it redeems. */
  readonly idp: { readonly issuer: string; readonly jwk: object };
}

/** Starts a Hydra in memory that writes JWTs, with one client. */
export async function startHydra({ audience, idp }: HydraOptions): Promise<Hydra> {
  await build();
  const [port, adminPort] = [await freePort(), await freePort()];
  const [issuer, admin] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${adminPort}`];
  const [tokenEndpoint, jwksUri] = [`${issuer}/oauth2/token`, `${issuer}/.well-known/jwks.json`];
  const server = launchServer('Hydra', BINARY, ['serve', 'all', '--dev', '--sqa-opt-out'], {
    DSN: 'memory',
    SECRETS_SYSTEM: randomBytes(16).toString('hex'),
    URLS_SELF_ISSUER: issuer,
    STRATEGIES_ACCESS_TOKEN: 'jwt',
    SERVE_PUBLIC_HOST: '127.0.0.1',
    SERVE_PUBLIC_PORT: String(port),
    SERVE_ADMIN_HOST: '127.0.0.1',
    SERVE_ADMIN_PORT: String(adminPort),
  });
  try {
    await server.untilItAnswers(`${admin}/health/ready`);
    // The first question makes the keys; on a slow machine its connection is closed before they are ready.
    await server.untilItAnswers(jwksUri);
    const grants = ['client_credentials', 'urn:ietf:params:oauth:grant-type:jwt-bearer'];
    await post(`${admin}/admin/clients`, {
      client_id: CLIENT.id,
      client_secret: CLIENT.secret,
      grant_types: grants,
      audience: [audience],
      scope: 'read',
      token_endpoint_auth_method: 'client_secret_post',
    });
    const expires = new Date(Date.now() + 86_400_000).toISOString();
    await post(`${admin}/admin/trust/grants/jwt-bearer/issuers`, {
      issuer: idp.issuer,
      allow_any_subject: true,
      scope: ['read'],
      jwk: idp.jwk,
      expires_at: expires,
    });
  } catch (error) {
    await server.stop();
    throw error;
  }
  return {
    issuer,
    tokenEndpoint,
    jwksUri,
    async token(form) {
      const body = new URLSearchParams({ client_id: CLIENT.id, client_secret: CLIENT.secret, ...form }).toString();
      const response = await fetch(tokenEndpoint, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body,
      });
      const answer = (await response.json()) as { access_token: string };
      if (!response.ok) throw new Error(`${form['grant_type']}: ${response.status} ${JSON.stringify(answer)}`);
      return answer.access_token;
    },
    stop: () => server.stop(),
  };
}

/**
 * Builds Hydra from the modules that the Go proxy has. Its `go.mod` replaces a client by a folder that is in no module, so
 * `go install` refuses it: the published client of the version that `go.mod` names takes its place.
 */
async function build(): Promise<void> {
  if (existsSync(BINARY)) return;
  const draft = `${HOME}.${randomBytes(4).toString('hex')}`;
  await mkdir(draft, { recursive: true });
  const go = (cwd: string, ...args: string[]) =>
    run('go', args, {
      cwd,
      timeout: BUILD_MS,
      maxBuffer: 64 * 1024 * 1024,
      env: { ...process.env, GOFLAGS: '-mod=mod' },
    });
  try {
    await go(draft, 'mod', 'init', 'rescind/hydra');
    const { stdout } = await go(draft, 'mod', 'download', '-json', `${MODULE}@${VERSION}`);
    const source = join(draft, 'source');
    await cp((JSON.parse(stdout) as { Dir: string }).Dir, source, { recursive: true });
    await makeWritable(source);
    await go(source, 'mod', 'edit', '-dropreplace', 'github.com/ory/hydra-client-go/v2');
    await go(source, 'build', '-tags', 'sqlite,json1', '-o', join(draft, 'hydra'), '.');
    await mkdir(HOME, { recursive: true });
    await rename(join(draft, 'hydra'), BINARY);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Go keeps modules read-only. */
async function makeWritable(directory: string): Promise<void> {
  await chmod(directory, 0o755);
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) await makeWritable(path);
    else await chmod(path, 0o644);
  }
}

async function post(url: string, body: object): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`POST ${url}: ${response.status} ${await response.text()}`);
}
