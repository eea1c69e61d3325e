import { execFile } from 'node:child_process';
import { access, cp, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startRescind, type RunningRescind } from '../../src/main.js';
import { readConfig } from '../../src/platform/config/index.js';
import { seedOrganisation } from '../../src/seed/index.js';
import { cleanUp } from '../support/cleanups.js';
import { createTestDatabase, testLog, type TestDatabase } from '../support/services.js';

/** Files of a checkout that the commands need. `node_modules` is there after `npm install`; `dist` is not. */
const CHECKOUT = [
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'src',
  'test/support/copy-assets.mjs',
  'test/support/build-console.mjs',
];

/** Bounds a build, a seeding and ten starts of the command line, on a busy machine. */
const LONG_MS = 900_000;
const URL_IN_README = 'http://127.0.0.1:7423';

const SECTIONS = ['Connect an identity provider', 'Connect a resource app', 'Stop something', 'Ask something'];

/** The shell of the README's section, as one script: its blocks, and lines that a session shows after a prompt. */
async function commandsOf(section: string): Promise<string> {
  const readme = await readFile('README.md', 'utf8');
  const text = readme.slice(readme.indexOf(`\n## ${section}\n`) + 1).split(/\n## /)[0]!;
  const blocks = [...text.matchAll(/```(sh|text)\n([\s\S]*?)```/g)].map(([, language, body]) =>
    language === 'sh' ? body! : [...body!.matchAll(/^\$ (.*)$/gm)].map(([, command]) => command).join('\n'),
  );
  return blocks.join('\n');
}

describe('the commands of the README, right after `npm install` and beside a seeded organisation', () => {
  let database: TestDatabase;
  let checkout: string;
  let service: RunningRescind;

  const cleanups = cleanUp(afterAll);
  beforeAll(async () => {
    database = await createTestDatabase();
    cleanups.push(() => database.drop());
    checkout = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-checkout-`));
    cleanups.push(() => rm(checkout, { recursive: true, force: true }));
    for (const path of CHECKOUT) await cp(path, join(checkout, path), { recursive: true });
    await symlink(resolve('node_modules'), join(checkout, 'node_modules'));
    const home = join(checkout, '.rescind');
    const config = readConfig({ RESCIND_HOME: home, PORT: '0', DATABASE_URL: database.url, KAFKA_BROKERS: 'none' });
    await mkdir(home);
    await seedOrganisation({ databaseUrl: database.url, home, log: testLog(), events: 3_000, days: 9 });
    service = await startRescind(config, { log: testLog() });
    cleanups.push(() => service.stop());
  }, LONG_MS);

  it(
    'connect an identity provider and an application, introspect its token, stop it, and query what happened',
    async () => {
      await expect(access(join(checkout, 'dist'))).rejects.toMatchObject({ code: 'ENOENT' });
      const commands = (await Promise.all(SECTIONS.map(commandsOf))).join('\n');
      const asks = commands.split('\n').find((line) => line.includes('/introspect'))!;
      const script = [
        'shopt -s expand_aliases',
        'set -eo pipefail',
        commands,
        asks,
        'npm run --silent rescind -- serve --help',
      ].join('\n');
      const { PATH, HOME } = process.env;
      const { stdout } = await promisify(execFile)('bash', ['-c', script.replaceAll(URL_IN_README, service.url)], {
        cwd: checkout,
        env: { PATH, HOME },
        maxBuffer: 1 << 24,
      });
      expect([...stdout.matchAll(/\{"index":"\d+","state":"sequenced"\}/g)]).toHaveLength(2);
      expect([...stdout.matchAll(/"active":(true|false)/g)].map(([, active]) => active)).toEqual(['true', 'false']);
      // An answer of curl ends without a new line.
      expect(stdout).toMatch(/In force after \S+ ms: nobody answers active any more for user alice of /);
      for (const answer of ['Edges:', 'OPERATION', 'Reachable users top', '"findings":', '"edges":'])
        expect(stdout).toContain(answer);
      expect(stdout).toContain('DATABASE_URL');
    },
    LONG_MS,
  );
});
