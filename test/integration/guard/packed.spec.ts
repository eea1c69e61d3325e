import { execFile, execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LIBRARY_NODES } from '../../support/node-20.js';
import { GUARD, startFeedService, type FeedService } from '../feeds/feed-service.js';

/** A resource server in small, with the packages that it may find beside the library. */
const PROGRAM = `
import { createBearerVerifier, createGuard } from 'rescind/guard';
const [rescind, id, token, audience] = process.argv.slice(2);
const guard = createGuard({ rescind, credentials: { id, secret: process.env.SECRET } });
guard.start();
await guard.ready;
const verifier = createBearerVerifier({ guard, audience });
const ask = () => verifier.verify({ authorization: 'Bearer ' + token, method: 'GET', url: '/' }, ['chat.read']);
const [first, second] = [await ask(), ask()];
process.stdout.write(JSON.stringify({ first: first.allowed, second: second.allowed, stats: guard.stats() }));
await guard.stop();
`;

/** As the SDK declares what the quick start uses of it. */
const MCP_SDK = `
declare module '@modelcontextprotocol/sdk/server/auth/errors.js' {
  export class OAuthError extends Error { constructor(message: string, errorUri?: string); }
  export class InvalidTokenError extends OAuthError {}
  export class ServerError extends OAuthError {}
}
declare module '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js' {
  interface AuthInfo { token: string; clientId: string; scopes: string[]; expiresAt?: number; resource?: URL; extra?: Record<string, unknown> }
  interface OAuthTokenVerifier { verifyAccessToken(token: string): Promise<AuthInfo> }
  export function requireBearerAuth(options: { verifier: OAuthTokenVerifier; requiredScopes?: string[]; resourceMetadataUrl?: string }): unknown;
}
`;

describe('the package, as a resource server installs it', () => {
  let directory: string;
  let service: FeedService;
  const modules = (name: string): string => join(directory, 'node_modules', name);

  beforeAll(async () => {
    service = await startFeedService();
    directory = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-`));
    execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--offline', '--pack-destination', directory], { stdio: 'pipe' });
    const [tarball] = (await readdir(directory)).filter((name) => name.endsWith('.tgz'));
    await mkdir(modules('rescind'), { recursive: true });
    execFileSync('tar', ['-xzf', join(directory, tarball!), '-C', modules('rescind'), '--strip-components=1']);
    for (const name of ['typebox', 'jose']) await symlink(resolve('node_modules', name), modules(name));
    await writeFile(join(directory, 'package.json'), '{ "type": "module" }');
  });
  afterAll(async () => {
    await service.stop();
    await rm(directory, { recursive: true });
  });

  describe.each(LIBRARY_NODES)('on %s', (_name, node) => {
    (node === undefined ? it.skip : it)('`rescind/guard` needs nothing but typebox and jose, answers by itself, and ends', () => answersOn(node!));
  });

  async function answersOn(node: string): Promise<void> {
    await writeFile(join(directory, 'program.js'), PROGRAM);
    const token = await service.issue();
    const { stdout } = await promisify(execFile)(node, ['program.js', service.url, GUARD, token, 'https://api.chat.example/mcp'], {
      cwd: directory,
      env: { PATH: process.env['PATH'], SECRET: service.secret(GUARD) },
    });
    expect(JSON.parse(stdout)).toMatchObject({ first: true, second: true, stats: { asked: 1, hits: 1, unavailable: 0 } });
  }

  it('the quick starts of its README compile', async () => {
    const readme = await readFile('src/guard/README.md', 'utf8');
    const examples = [...readme.matchAll(/```ts\n\/\/ ([\w.]+)[^\n]*\n([\s\S]*?)```/g)].map(([, name, code]) => ({ name: name!, code: code! }));
    expect(examples.map(({ name }) => name)).toEqual(['verifier.ts', 'fastify.ts', 'nest.ts', 'mcp.ts']);
    for (const { name, code } of examples) await writeFile(join(directory, name), code);
    await writeFile(join(directory, 'sdk.d.ts'), MCP_SDK);
    for (const name of ['@types', '@nestjs', 'fastify', 'rxjs', 'reflect-metadata']) await symlink(resolve('node_modules', name), modules(name));
    const options = { strict: true, noEmit: true, module: 'NodeNext', target: 'ES2023', types: ['node'], skipLibCheck: true, experimentalDecorators: true };
    await writeFile(join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['sdk.d.ts', ...examples.map(({ name }) => name)] }));
    expect(execFileSync(resolve('node_modules/.bin/tsc'), ['-p', directory], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })).toBe('');
  });
});
