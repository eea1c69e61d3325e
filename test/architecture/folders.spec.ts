import { existsSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { CATCH_ALL } from './import-table.js';
import { ROOT, filesUnder, foldersUnder, read } from './source-tree.js';

const folders = foldersUnder('src');
const stages = folders.filter((folder) => folder.split('/').length === 2);

describe('folders (house style, points 1 and 5)', () => {
  it('each stage has a README', () => {
    expect(stages.filter((folder) => !existsSync(`${ROOT}${folder}/README.md`))).toEqual([]);
  });

  it('each stage appears in the map of src/README.md, as `name/`', () => {
    const map = existsSync(`${ROOT}src/README.md`) ? read('src/README.md') : '';
    const missing = stages.filter((folder) => !new RegExp(`(?<![\\w-])${folder.split('/').at(-1)!}/`).test(map));
    expect(missing).toEqual([]);
  });

  it('none is a catch-all, and no file is', () => {
    const names = [...folders, ...filesUnder('src')].map((path) => ({
      path,
      name: path.split('/').at(-1)!.split('.')[0]!,
    }));
    expect(names.filter(({ name }) => CATCH_ALL.test(name)).map(({ path }) => path)).toEqual([]);
  });
});
