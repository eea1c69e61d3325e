import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cleanUp } from '../support/cleanups.js';
import { emptyProject, packInto, temporaryDirectory, type Project } from '../support/packed.js';
import { createTestDatabase, type TestDatabase } from '../support/services.js';

/** Bounds an install of the whole tree and some starts of Node on a busy machine. */
const LONG_MS = 1_800_000;
/** Packages that only a clone has: an identity provider, a client library for it, compilers and test tools. */
const CLONE_ONLY =
  /^(?:oidc-provider|koa|typescript|jest|oxlint|ajv-cli|fast-check)$|^@(?:swc|typescript|types|jest)\//;
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

describe('rescind, as an operator installs it', () => {
  let packages: string;
  let project: Project;
  let database: TestDatabase;
  let tarball: string;

  const cleanups = cleanUp(afterAll);
  beforeAll(async () => {
    packages = await temporaryDirectory();
    cleanups.push(() => rm(packages, { recursive: true }));
    project = await emptyProject();
    cleanups.push(() => project.remove());
    database = await createTestDatabase();
    cleanups.push(() => database.drop());
    tarball = (await packInto(packages)).rescind;
    await project.install(tarball);
  }, LONG_MS);

  it('brings no sandbox, no identity provider and no compiler', async () => {
    const installed = await project.installed();
    expect(installed).toEqual(expect.arrayContaining(['@nestjs/core', 'fastify', 'kafkajs', 'pg', 'rescind']));
    expect(installed.filter((name) => CLONE_ONLY.test(name))).toEqual([]);
    const files = await project.files('rescind');
    expect(files).toEqual(
      expect.arrayContaining(['LICENSE', 'npm-shrinkwrap.json', 'dist/cli/rescind.js', 'docker/kafka/pom.xml']),
    );
    expect(files.filter((name) => /\.spec\.|\.ts$|\.map$|^dist\/(?:sandbox|seed|guard)\//.test(name))).toEqual([]);
  });

  it(
    'uses the versions of the lockfile and nothing of the clone when it is installed in its own folder, as in the image',
    async () => {
      const image = await emptyProject();
      try {
        execFileSync('tar', ['-xzf', tarball, '-C', image.directory, '--strip-components=1']);
        await image.install('--no-save');
        const installed = await image.installed();
        expect(installed.filter((name) => CLONE_ONLY.test(name))).toEqual([]);
        const { packages: locked } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
          packages: Record<string, { version: string } | undefined>;
        };
        const versionOf = (name: string): string =>
          (
            JSON.parse(readFileSync(join(image.directory, 'node_modules', name, 'package.json'), 'utf8')) as {
              version: string;
            }
          ).version;
        expect(installed.map((name) => `${name} ${versionOf(name)}`)).toEqual(
          installed.map((name) => `${name} ${locked[`node_modules/${name}`]?.version}`),
        );
      } finally {
        await image.remove();
      }
    },
    LONG_MS,
  );

  it(
    'answers --version, --help and config check, and says which commands need a clone',
    async () => {
      expect(await project.npx('rescind', '--version')).toMatchObject({ stdout: `${manifest.version}\n`, code: 0 });
      expect((await project.npx('rescind', '--help')).stdout).toContain('rescind serve');
      expect(await project.npx('rescind', 'config', 'check')).toMatchObject({
        stdout: expect.stringContaining('The configuration is accepted.'),
        code: 0,
      });
      for (const args of [
        ['demo', '--once'],
        ['seed', '--events', '10'],
      ]) {
        const { stderr, code } = await project.npx('rescind', ...args);
        expect({ stderr, code }).toEqual({
          stderr:
            'rescind: `demo` and `seed` run in a clone of the repository, after `npm install`; the installed package does not carry them\n',
          code: 2,
        });
      }
    },
    LONG_MS,
  );

  it(
    'serves',
    async () => {
      const { PATH } = process.env;
      const env = {
        PATH,
        RESCIND_HOME: join(project.directory, 'home'),
        PORT: '0',
        DATABASE_URL: database.url,
        KAFKA_BROKERS: 'none',
        LOG_LEVEL: 'error',
      };
      const server = spawn(process.execPath, ['node_modules/rescind/dist/cli/rescind.js', 'serve'], {
        cwd: project.directory,
        env,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const ended = once(server, 'exit');
      try {
        const [line] = (await Promise.race([once(server.stdout, 'data'), ended])) as [unknown];
        const url = /Rescind answers at (\S+)/.exec(String(line))?.[1];
        expect(url).toBeDefined();
        for (const path of ['/health/ready', '/openapi.json']) expect((await fetch(`${url}${path}`)).status).toBe(200);
      } finally {
        server.kill('SIGINT');
      }
      await ended;
    },
    LONG_MS,
  );
});
