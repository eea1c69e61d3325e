import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { API } from '../../conformance/parties.js';
import { findNode20 } from '../../support/node-20.js';
import { cleanUp } from '../../support/cleanups.js';
import {
  emptyProject,
  examplesOf,
  packInto,
  temporaryDirectory,
  TYPESCRIPT_5,
  type Project,
} from '../../support/packed.js';
import { GUARD, startFeedService, type FeedService } from '../feeds/feed-service.js';

/** Bounds two installs and four compilers on a busy machine. */
const LONG_MS = 1_800_000;

const TYPED = `
import type { Producer } from '@rescind/emit';
import { createGuard, createUsage, fastifyGuard, type Answer, type Guard } from '@rescind/guard';
import { RequireScopes, RescindGuard, WithoutToken } from '@rescind/guard/nest';
export const usage = (producer: Producer) => createUsage({ producer });
export const check = (guard: Guard, token: string): Answer | Promise<Answer> => guard.check(token);
// @ts-expect-error: the credentials are missing
createGuard({ rescind: 'https://rescind.example' });
export const all = [fastifyGuard, RequireScopes, RescindGuard, WithoutToken];
`;

/** Declarations of the parts of the SDK that the quick start uses. */
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

describe('@rescind/guard, as a resource server installs it', () => {
  let packages: string;
  let project: Project;
  let service: FeedService;
  let tarballs: Awaited<ReturnType<typeof packInto>>;

  const cleanups = cleanUp(afterAll);
  beforeAll(async () => {
    packages = await temporaryDirectory();
    cleanups.push(() => rm(packages, { recursive: true }));
    project = await emptyProject();
    cleanups.push(() => project.remove());
    service = await startFeedService();
    cleanups.push(() => service.stop());
    tarballs = await packInto(packages);
    await project.install(tarballs.guard);
  }, LONG_MS);

  it('brings jose and typebox alone, and neither a test nor a source', async () => {
    expect(await project.installed()).toEqual(['@rescind/guard', 'jose', 'typebox']);
    const manifest = JSON.parse(
      await readFile(join(project.directory, 'node_modules/@rescind/guard/package.json'), 'utf8'),
    ) as object;
    expect(manifest).toMatchObject({
      license: 'Apache-2.0',
      peerDependenciesMeta: { '@nestjs/common': { optional: true }, fastify: { optional: true } },
    });
    const files = await project.files('@rescind/guard');
    expect(files).toContain('LICENSE');
    expect(
      files.filter((name) =>
        /\.spec\.|(?<!\.d)\.ts$|\.map$|^dist\/(?!contracts|emit|guard|lease|rules|platform\/lock\/)/.test(name),
      ),
    ).toEqual([]);
  });

  it(
    'TypeScript 5 and 7 read every entry point and each quick start of its README, and the first one runs on a node',
    async () => {
      const examples = await examplesOf('src/guard/README.md');
      expect(Object.keys(examples)).toEqual(['verifier.ts', 'fastify.ts', 'nest.ts', 'mcp.ts']);
      const asRun = {
        'https://rescind.example': service.url,
        'chat-api': GUARD,
        'https://api.chat.example': API,
        '.listen(8080)':
          '.listen(0, function (this: import("node:net").Server) { console.log((this.address() as import("node:net").AddressInfo).port) })',
      };
      const verifier = Object.entries(asRun).reduce(
        (text, [written, run]) => text.replace(written, () => run),
        examples['verifier.ts']!,
      );
      await project.write({ ...examples, 'verifier.ts': verifier, 'typed.ts': TYPED, 'sdk.d.ts': MCP_SDK });
      await project.install(TYPESCRIPT_5, '@types/node@20');
      expect(await project.typecheck(7, ['verifier.ts'])).toBe('');
      expect(await project.typecheck(5, ['verifier.ts'], { noEmit: false })).toBe('');
      const token = await service.issue();
      await expectGuarded(token);

      await project.install(
        tarballs.emit,
        '@nestjs/common@12',
        '@nestjs/core@12',
        'fastify@5',
        'rxjs@7',
        'reflect-metadata@0.2',
      );
      const withFrameworks = { experimentalDecorators: true, skipLibCheck: true };
      for (const version of [7, 5] as const)
        expect(
          await project.typecheck(version, ['sdk.d.ts', 'typed.ts', ...Object.keys(examples)], withFrameworks),
        ).toBe('');
    },
    LONG_MS,
  );

  /** The server of the quick start serves the token until a rule names its user. */
  async function expectGuarded(token: string): Promise<void> {
    const { PATH } = process.env;
    const server = spawn(findNode20() ?? process.execPath, ['verifier.js'], {
      cwd: project.directory,
      env: { PATH, RESCIND_SECRET: service.secret(GUARD) },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const [port] = (await once(server.stdout, 'data')) as [Buffer];
      const statusFor = async (credentials: object): Promise<number> =>
        (await fetch(`http://127.0.0.1:${String(port).trim()}/`, { headers: { ...credentials } })).status;
      const authorization = `Bearer ${token}`;
      expect(await statusFor({})).toBe(401);
      expect(await statusFor({ authorization })).toBe(200);
      await service.order({ client: { iss: 'https://login.chat.example', client_id: 'wiki-at-chat' } });
      expect(await statusFor({ authorization })).toBe(401);
    } finally {
      server.kill('SIGKILL');
    }
  }
});
