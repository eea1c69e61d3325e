import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export const read = (path: string): string => readFileSync(`${ROOT}${path}`, 'utf8');

/** Paths of files under a folder, from the root, with slashes; sorted. Installed and built files are left out. */
export function filesUnder(folder: string): string[] {
  return readdirSync(`${ROOT}${folder}`, { withFileTypes: true })
    .filter(({ name }) => name !== 'node_modules' && name !== 'dist')
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      return entry.isDirectory() ? filesUnder(path) : [path];
    })
    .sort();
}

export function foldersUnder(folder: string): string[] {
  const folders = filesUnder(folder).map((file) => file.slice(0, file.lastIndexOf('/')));
  const ancestors = folders.flatMap((path) =>
    path.split('/').map((_, depth, parts) => parts.slice(0, depth + 1).join('/')),
  );
  return [...new Set(ancestors)].filter((path) => path !== folder && path.startsWith(`${folder}/`)).sort();
}

export const isSpec = (file: string): boolean => file.endsWith('.spec.ts');

/** TypeScript sources under `src`; the specs beside them only on request. */
export function sources(options: { specs: boolean } = { specs: false }): string[] {
  return filesUnder('src').filter(
    (file) => /\.tsx?$/.test(file) && !file.endsWith('.d.ts') && (options.specs || !isSpec(file)),
  );
}

/** The folder of `src` that a file belongs to: a stage, or a room of the platform. For a file in `src` itself, its name. */
export function areaOf(file: string): string {
  const [, stage, room] = file.split('/');
  return stage === 'platform' ? `platform/${room}` : stage!;
}
