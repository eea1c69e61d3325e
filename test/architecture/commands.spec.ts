import { existsSync, readdirSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { ROOT, read } from './source-tree.js';

const { scripts } = JSON.parse(read('package.json')) as { scripts: Readonly<Record<string, string>> };
const command = (name: string): string => scripts[name] ?? '';

/** Each file at the top that configures something, and the text that makes use of it. */
const SERVES: Readonly<Record<string, readonly [user: string, text: string]>> = {
  'nest-cli.json': [
    'npm run dev, npm run test:one',
    read('test/support/dev.mjs') + read('test/support/build-if-older.mjs'),
  ],
  'tsconfig.json': ['npm run typecheck', command('typecheck')],
  'tsconfig.build.json': ['npm run build', command('build')],
  'tsconfig.bench.json': ['npm run bench', command('bench')],
  'tsconfig.fault.json': ['npm run fault', command('fault')],
  'tsconfig.mutate.json': ['npm run mutate', command('mutate')],
};
/** The programs that look for their configuration by its name. */
const FOUND_BY: Readonly<Record<string, RegExp>> = {
  'biome.json': /biome/,
  '.oxlintrc.json': /oxlint/,
  'jest.config.js': /jest/,
  'package.json': /./,
  'package-lock.json': /./,
};

describe('the commands of a checkout', () => {
  it('use every file of configuration at the top', () => {
    const files = readdirSync(ROOT).filter((name) => /\.(?:json|js)$/.test(name));
    const used = Object.values(scripts).join('\n') + read('test/support/fix.mjs');
    const unused = files.filter((file) => !(SERVES[file]?.[1].includes(file) ?? FOUND_BY[file]?.test(used) ?? false));
    expect(unused).toEqual([]);
  });

  it('are the ones that the documents name', () => {
    const named = ['README.md', 'CONTRIBUTING.md', 'test/README.md'].flatMap((file) =>
      [...read(file).matchAll(/npm run (?:--silent )?([a-z][\w:-]*)/g)].map(([, name]) => `${file}: ${name}`),
    );
    expect(named.length).toBeGreaterThan(20);
    expect([...new Set(named)].filter((one) => scripts[one.split(': ')[1]!] === undefined)).toEqual([]);
  });

  it('run each slow spec that is listed', async () => {
    const { SLOW_SPECS } = (await import(pathToFileURL(`${ROOT}jest.config.js`).href)) as {
      SLOW_SPECS: Readonly<Record<string, readonly string[]>>;
    };
    const listed = Object.values(SLOW_SPECS).flat();
    expect(listed.length).toBeGreaterThan(20);
    expect(listed.filter((path) => !existsSync(`${ROOT}${path}`))).toEqual([]);
  });

  it('start what nest-cli.json names', () => {
    const { sourceRoot, entryFile, compilerOptions } = JSON.parse(read('nest-cli.json')) as {
      sourceRoot: string;
      entryFile: string;
      compilerOptions: { tsConfigPath: string };
    };
    expect(read(`${sourceRoot}/${entryFile}.ts`)).toContain('#!/usr/bin/env node');
    expect(JSON.parse(read(compilerOptions.tsConfigPath))).toMatchObject({
      include: [sourceRoot],
      compilerOptions: { rootDir: sourceRoot, outDir: 'dist' },
    });
  });
});
