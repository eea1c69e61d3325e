import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';

let checkout: string;
const at = (path: string): string => join(checkout, path);
const writtenAt = (path: string): number => statSync(at(path)).mtimeMs;
const write = (path: string, text: string): void => {
  mkdirSync(dirname(at(path)), { recursive: true });
  writeFileSync(at(path), text);
};
const build = (): void => {
  execFileSync(process.execPath, ['test/support/build-if-older.mjs'], { cwd: checkout, stdio: 'pipe' });
};
/** Makes the last build an hour old. */
const age = (): void => {
  const before = new Date(Date.now() - 3_600_000);
  for (const path of ['dist/.tsbuildinfo', 'dist/one.js', 'src/one.ts', 'tsconfig.build.json'])
    utimesSync(at(path), before, before);
};

beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), `rescind-test-${process.pid}-`));
  for (const path of [
    'package.json',
    'nest-cli.json',
    'tsconfig.json',
    'tsconfig.build.json',
    'test/support/build-if-older.mjs',
    'test/support/copy-assets.mjs',
    'test/support/build-console.mjs',
  ])
    cpSync(path, at(path));
  symlinkSync(resolve('node_modules'), at('node_modules'));
  write('src/one.ts', 'export const one = 1;\n');
  build();
  age();
});
afterEach(() => rmSync(checkout, { recursive: true }));

it('builds where there is no build', () => {
  expect(existsSync(at('dist/one.js'))).toBe(true);
});

it('builds nothing for a README, a spec or SQL, and copies the SQL', () => {
  const [built, compiled] = [writtenAt('dist/.tsbuildinfo'), writtenAt('dist/one.js')];
  write('README.md', 'new');
  write('src/README.md', 'new');
  write('src/one.spec.ts', 'new');
  write('src/one.sql', 'SELECT 1');
  build();
  expect([writtenAt('dist/.tsbuildinfo'), writtenAt('dist/one.js')]).toEqual([built, compiled]);
  expect(readFileSync(at('dist/one.sql'), 'utf8')).toBe('SELECT 1');
});

it('builds once for a changed TypeScript file, also when nothing but its time has changed', () => {
  write('src/one.ts', 'export const one = 2;\n');
  build();
  expect(readFileSync(at('dist/one.js'), 'utf8')).toContain('one = 2');
  age();
  write('src/one.ts', 'export const one = 2;\n');
  build();
  const built = writtenAt('dist/.tsbuildinfo');
  expect(built).toBeGreaterThanOrEqual(writtenAt('src/one.ts'));
  build();
  expect(writtenAt('dist/.tsbuildinfo')).toBe(built);
});
