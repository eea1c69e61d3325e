import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { createConsoleFiles } from './console-files.js';

let directory: string;
beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), `rescind-test-${process.pid}-`)), 'console');
  mkdirSync(join(directory, 'assets'), { recursive: true });
  writeFileSync(
    join(directory, 'index.html'),
    '<script src="a.js" nonce="__NONCE__"></script><meta nonce="__NONCE__">',
  );
  writeFileSync(join(directory, 'assets/a-1.js'), 'run()');
  writeFileSync(join(directory, 'assets/a-1.js.map'), '{}');
  writeFileSync(join(directory, '../secret.js'), 'secret');
});
afterEach(() => rmSync(join(directory, '..'), { recursive: true }));

it('serves a file that was there at the start, and one that came later not', () => {
  const files = createConsoleFiles(directory);
  writeFileSync(join(directory, 'assets/b-2.js'), 'late()');
  expect(files.find('assets/a-1.js')).toEqual({
    headers: expect.objectContaining({ 'cache-control': 'public, max-age=31536000, immutable' }),
    body: Buffer.from('run()'),
  });
  expect(() => files.find('assets/b-2.js')).toThrow(expect.objectContaining({ code: 'not-found' }));
  expect(() => files.find('assets/a-1.js.map')).toThrow(expect.objectContaining({ code: 'not-found' }));
});

it.each(['', 'index.html', 'findings', '../secret.js', '/etc/passwd', 'assets', '__proto__'])(
  'answers %j with the page, whose nonce is fresh',
  (path) => {
    const files = createConsoleFiles(directory);
    const [one, other] = [files.find(path), files.find(path)];
    const [, nonce] = /'nonce-([\w-]{22})'/.exec(one.headers['content-security-policy']!)!;
    expect(one.body.toString()).toBe(`<script src="a.js" nonce="${nonce}"></script><meta nonce="${nonce}">`);
    expect(one.headers['cache-control']).toBe('no-store');
    expect(other.headers['content-security-policy']).not.toBe(one.headers['content-security-policy']);
  },
);

it('says how to make a console that is missing', () => {
  const files = createConsoleFiles(join(directory, 'nowhere'));
  expect(() => files.find('')).toThrow(
    expect.objectContaining({ code: 'not-found', detail: expect.stringContaining('npm run build') }),
  );
});
