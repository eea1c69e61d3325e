import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const run = promisify(execFile);
const CLI = resolve('dist/cli/rescind.js');
/** A start of Node for each line, on a busy machine. */
const LONG_MS = 120_000;

const parameter = (name: string, schema: object) => ({ name, in: 'query', schema, description: 'what it is' });
/** A service that tries to make the shell run something. */
const HOSTILE = '$(touch hit)';
const DOCUMENT = {
  paths: {
    '/v1/access': {
      get: {
        summary: `uses; ${HOSTILE} \`touch hit\``,
        parameters: [
          parameter('outcome', { type: 'string', enum: ['allowed', 'denied', HOSTILE] }),
          parameter(HOSTILE.replaceAll(' ', '_'), { type: 'string' }),
        ],
        responses: {},
      },
    },
    '/v1/access/counts': { get: { summary: 'counts', responses: {} } },
    [`/v1/${HOSTILE}`]: { get: { summary: 'bad', responses: {} } },
  },
};

describe('completion in a shell', () => {
  let server: Server;
  let home: string;
  let env: Record<string, string>;

  beforeAll(async () => {
    server = createServer((_request, response) => response.end(JSON.stringify(DOCUMENT)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    home = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-`));
    await writeFile(join(home, 'rescind'), `#!/bin/sh\nexec '${process.execPath}' '${CLI}' "$@"\n`);
    await chmod(join(home, 'rescind'), 0o755);
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    env = { PATH: `${home}:${process.env['PATH']!}`, HOME: home, RESCIND_URL: url };
  });
  afterAll(async () => {
    server.close();
    server.closeAllConnections();
    await rm(home, { recursive: true });
  });

  const inBash = async (words: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<string[]> => {
    const script = `
      eval "$(rescind completion bash)"
      COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
      _rescind
      printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout } = await run('bash', ['--norc', '-c', script, 'bash', ...words], {
      env: { ...env, ...more },
      cwd: home,
    });
    return stdout.split('\n').filter((word) => word !== '');
  };

  it.each<[string, readonly string[]]>([
    ['rescind rev', ['revoke']],
    ['rescind revoke --effect ', ['revoke', 'block']],
    ['rescind completion ', ['bash', 'zsh', 'fish']],
    ['rescind ask ', ['access']],
    ['rescind ask access ', ['counts']],
    ['rescind ask access --outcome ', ['allowed', 'denied']],
    ['rescind ask access --outcome = d', ['denied']],
    ['rescind ask access --out', ['--outcome', '--output']],
    ['rescind ask -o js', ['json', 'jsonl']],
    ['rescind nonsense ', []],
  ])(
    'bash completes `%s`',
    async (line, words) => {
      expect((await inBash(line.split(' '))).toSorted()).toEqual([...words].toSorted());
    },
    LONG_MS,
  );

  it(
    'runs nothing that the service names',
    async () => {
      await inBash(['rescind', 'ask', 'access', '']);
      await inBash(['rescind', 'ask', 'access', '--']);
      await expect(run('test', ['-e', join(home, 'hit')])).rejects.toMatchObject({ code: 1 });
    },
    LONG_MS,
  );

  it(
    'completes its own commands without a service, quietly',
    async () => {
      expect(await inBash(['rescind', 'ask', ''], { RESCIND_URL: 'http://127.0.0.1:1' })).toEqual([]);
      expect(await inBash(['rescind', 'heal'], { RESCIND_URL: 'nonsense' })).toEqual(['health']);
    },
    LONG_MS,
  );

  // Those shells are on few machines; the scripts use nothing but what this check reads.
  it.each([
    ['bash', '-n'],
    ['zsh', '-n'],
    ['fish', '--no-execute'],
  ])(
    '%s can read its script',
    async (shell, check) => {
      const isThere = await run(shell, ['--version']).then(
        () => true,
        () => false,
      );
      if (!isThere) return;
      const script = join(home, `completion.${shell}`);
      await writeFile(script, (await run('rescind', ['completion', shell], { env })).stdout);
      await run(shell, [check, script]);
    },
    LONG_MS,
  );
});
