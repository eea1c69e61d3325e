import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SUFFIXED } from './import-table.js';
import { ROOT, sources } from './source-tree.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rescind-erasable-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Finds syntax that TypeScript cannot erase in the given files, as `path(line,column)` of each place. */
async function notErasable(files: readonly string[]): Promise<string[]> {
  const config = join(directory, 'tsconfig.json');
  await writeFile(
    config,
    JSON.stringify({
      extends: join(ROOT, 'tsconfig.json'),
      compilerOptions: {
        erasableSyntaxOnly: true,
        noEmit: true,
        types: ['node'],
        typeRoots: [join(ROOT, 'node_modules/@types')],
      },
      files,
      include: [],
    }),
  );
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const output = await new Promise<string>((resolve, reject) => {
    execFile(
      process.execPath,
      [tsc, '-p', config, '--pretty', 'false'],
      { cwd: ROOT, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        // 1 and 2 say that there are errors in the program; anything else, that the compiler did not run.
        if (error !== null && error.code !== 1 && error.code !== 2) reject(new Error(stderr, { cause: error }));
        else resolve(stdout);
      },
    );
  });
  // Suffixed files come along as imports and may use what Nest needs; other errors are `npm run typecheck`'s business.
  const unsuffixed = /^(?!\s)(.+\(\d+,\d+\)): error TS1294:/;
  return output.split('\n').flatMap((line) => {
    const place = unsuffixed.exec(line)?.[1];
    return place === undefined || SUFFIXED.test(place.slice(0, place.lastIndexOf('('))) ? [] : [place];
  });
}

describe('unsuffixed files are TypeScript that only needs its types erased (house style, point 3)', () => {
  it('all of src', async () => {
    const files = sources().filter((file) => !SUFFIXED.test(file) && !file.startsWith('src/console/'));
    expect(await notErasable(files.map((file) => join(ROOT, file)))).toEqual([]);
  });

  it('parameter properties, enums and namespaces are found', async () => {
    const file = join(directory, 'wrong.ts');
    await writeFile(
      file,
      [
        'export enum Colour { Red }',
        'export namespace Space { export const a = 1; }',
        'export class A { constructor(readonly b: number) {} }',
      ].join('\n'),
    );
    expect((await notErasable([file])).map((place) => /\((\d+),/.exec(place)?.[1])).toEqual(['1', '2', '3']);
  });
});
