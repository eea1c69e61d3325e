import { describe, expect, it } from '@jest/globals';
import { readImports, resolveImport } from './read-imports.js';
import { filesUnder, foldersUnder, read, sources } from './source-tree.js';

/** A newcomer reads a folder's list of files at one glance. */
const MAX_FILES = 16;
const MAX_LINES = 500;
const MAX_CONTENTS_LINES = 100;

const folderOf = (file: string): string => file.slice(0, file.lastIndexOf('/'));
const linesOf = (file: string): number => read(file).trimEnd().split('\n').length;
const stageOf = (file: string): string => file.split('/').slice(0, 2).join('/');

/** Rooms of each stage, with the rooms of the same stage that each imports. Files at the root of a stage put its rooms together, so they are left out. */
function roomsOf(
  files: readonly string[],
  importsOf: (file: string) => readonly string[],
): ReadonlyMap<string, ReadonlySet<string>> {
  const rooms = new Map<string, Set<string>>();
  for (const file of files) {
    const room = folderOf(file);
    if (room === stageOf(file)) continue;
    const others = rooms.get(room) ?? new Set();
    rooms.set(room, others);
    for (const target of importsOf(file)) {
      const other = folderOf(target);
      if (stageOf(target) === stageOf(file) && other !== stageOf(file) && other !== room) others.add(other);
    }
  }
  return rooms;
}

/** Rooms that import each other, directly or through others. */
function circles(rooms: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const settled = new Set<string>();
  for (let round = 0; round < rooms.size; round += 1) {
    for (const [room, others] of rooms)
      if ([...others].every((other) => settled.has(other) || !rooms.has(other))) settled.add(room);
  }
  return [...rooms.keys()].filter((room) => !settled.has(room));
}

describe('rooms of a stage', () => {
  const importsOf = (file: string): string[] =>
    readImports(read(file), file).flatMap(({ specifier }) => resolveImport(file, specifier) ?? []);

  it('import each other without a circle', () => {
    expect(circles(roomsOf(sources(), importsOf))).toEqual([]);
  });

  it('a circle of three is seen, and a root that puts rooms together is none', () => {
    const imports: Readonly<Record<string, readonly string[]>> = {
      'src/a/x/1.ts': ['src/a/y/2.ts'],
      'src/a/y/2.ts': ['src/a/z/3.ts', 'src/a/root.ts'],
      'src/a/z/3.ts': ['src/a/x/1.ts', 'src/b/w/4.ts'],
      'src/a/root.ts': ['src/a/x/1.ts'],
      'src/b/w/4.ts': ['src/a/x/1.ts'],
    };
    expect(circles(roomsOf(Object.keys(imports), (file) => imports[file]!))).toEqual(['src/a/x', 'src/a/y', 'src/a/z']);
  });

  it('a table of contents stands at the top: `main.ts` says what starts, and no more', () => {
    expect(linesOf('src/main.ts')).toBeLessThanOrEqual(MAX_CONTENTS_LINES);
  });

  it(`have no source of more than ${MAX_LINES} lines, specs and what a program writes left out`, () => {
    const long = filesUnder('src').filter((file) => /(?<!\.spec|\.d)\.tsx?$/.test(file) && linesOf(file) > MAX_LINES);
    expect(long).toEqual([]);
  });

  it(`have ${MAX_FILES} sources at most, specs left out`, () => {
    const count = (folder: string): number =>
      filesUnder(folder).filter(
        (file) => folderOf(file) === folder && /\.tsx?$/.test(file) && !file.endsWith('.spec.ts'),
      ).length;
    expect(foldersUnder('src').filter((folder) => count(folder) > MAX_FILES)).toEqual([]);
  });
});
