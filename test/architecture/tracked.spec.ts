import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { ROOT, read } from './source-tree.js';

/** Tracked files and those about to be; undefined outside a checkout, where there is nothing to track. */
function tracked(): string[] | undefined {
  if (!existsSync(`${ROOT}.git`)) return undefined;
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return listed.split('\0').filter((file) => file !== '' && existsSync(`${ROOT}${file}`));
}

const TEXT =
  /\.(?:[cm]?[jt]sx?|json|md|sql|ya?ml|xml|html|css|sh|properties|toml)$|(?:^|\/)[^.]+$|(?:^|\/)\.[a-z]+(?:rc)?$/;
const MACHINE_PATH = /(?<![\w.~\]})/-])\/(?:work|root|Users\/\w+|home\/\w+|tmp)\/[\w.-]/;

describe('what must not be tracked', () => {
  const files = tracked() ?? [];

  it('paths of the machine it was written on', () => {
    const found = files.filter(
      (file) => TEXT.test(file) && file !== 'package-lock.json' && MACHINE_PATH.test(read(file)),
    );
    expect(found).toEqual([]);
  });

  it('installed or built files, and state of a run', () => {
    expect(files.filter((file) => /^coverage\/|(?:^|\/)(?:node_modules|dist|\.rescind)\//.test(file))).toEqual([]);
  });

  it('the registry that a lockfile was resolved from', () => {
    const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, { resolved?: string }> };
    const resolved = Object.entries(packages).filter(
      ([, entry]) => entry.resolved !== undefined && !entry.resolved.startsWith('file:'),
    );
    expect(resolved.map(([name]) => name)).toEqual([]);
    expect(existsSync(`${ROOT}.npmrc`) ? read('.npmrc') : '').not.toMatch(/registry\s*=|_auth/);
  });

  it('private keys', () => {
    const header = new RegExp(`-----BEGIN (?:[A-Z]+ )?PRIVATE ${'KEY'}-----`);
    expect(files.filter((file) => TEXT.test(file) && header.test(read(file)))).toEqual([]);
  });
});
