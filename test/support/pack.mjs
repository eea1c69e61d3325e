// `npm run pack`: makes the packages that others install from `dist`, and a tarball of each. The argument is the directory to write to.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize, resolve } from 'node:path';
import { packagesOf } from './package-manifests.mjs';
import { shrinkwrapOf } from './shrinkwrap.mjs';

const DIST = 'dist';
/** Imports as the compiler writes them; a declaration may also name a type by `import("…")`. */
const IMPORT = /(?:^(?:import|export|\}).*? from |^import |\bimport\()['"]([@\w./:-]+)['"]/gm;
const packageOf = (specifier) => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');

/** Files below `dist` that are loaded with an entry point, and the npm packages that they import. `leftOut` names folders that stay behind. */
function reachableFrom(entries, leftOut) {
  const [files, packages] = [new Set(), new Set()];
  const visit = (file) => {
    if (files.has(file) || leftOut.some((folder) => file.startsWith(`${folder}/`))) return;
    const text = readFileSync(join(DIST, file), 'utf8');
    files.add(file);
    for (const [, specifier] of text.matchAll(IMPORT)) {
      const target = normalize(join(dirname(file), specifier));
      if (specifier.startsWith('.')) visit(file.endsWith('.d.ts') ? target.replace(/\.js$/, '.d.ts') : target);
      else if (!specifier.startsWith('node:')) packages.add(packageOf(specifier));
    }
  };
  entries.forEach(visit);
  return { files, packages };
}

/** Files that code reads from its own folder: SQL, and JSON that it names as `./<name>`. */
function readBeside(files) {
  const folders = new Map();
  for (const file of files)
    folders.set(dirname(file), `${folders.get(dirname(file)) ?? ''}${readFileSync(join(DIST, file), 'utf8')}`);
  return [...folders].flatMap(([folder, code]) =>
    readdirSync(join(DIST, folder))
      .filter((name) => name.endsWith('.sql') || (name.endsWith('.json') && code.includes(`/${name}'`)))
      .map((name) => join(folder, name)),
  );
}

/** A package that is imported and not declared would be missing where the tarball is installed. */
function checkDeclared(manifest, packages) {
  const declared = new Set(Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }));
  const missing = [...packages].filter((name) => !declared.has(name));
  if (missing.length > 0) throw new Error(`${manifest.name} imports ${missing.join(', ')} and does not declare it`);
}

/** Maps name sources that no package carries. */
const withoutMap = (text) => text.replace(/^\/\/# sourceMappingURL=.*\n?/m, '');

function write(directory, { manifest, entries, leftOut, readme, extra, locked }) {
  const { files, packages } = reachableFrom(entries, leftOut);
  checkDeclared(manifest, packages);
  for (const file of files) {
    mkdirSync(join(directory, DIST, dirname(file)), { recursive: true });
    writeFileSync(join(directory, DIST, file), withoutMap(readFileSync(join(DIST, file), 'utf8')));
  }
  for (const file of readBeside(files)) cpSync(join(DIST, file), join(directory, DIST, file));
  for (const path of extra) cpSync(path, join(directory, path), { recursive: true });
  cpSync(readme, join(directory, 'README.md'));
  cpSync('LICENSE', join(directory, 'LICENSE'));
  writeFileSync(join(directory, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
  if (locked)
    writeFileSync(join(directory, 'npm-shrinkwrap.json'), `${JSON.stringify(shrinkwrapOf(manifest), undefined, 2)}\n`);
}

/** Removes what an earlier run wrote, and nothing else that has the same name. */
function clear(directory, { name }) {
  if (!existsSync(directory)) return;
  const path = join(directory, 'package.json');
  const found = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).name : undefined;
  if (found !== name)
    throw new Error(`${directory} is not the package ${name} of an earlier run: name another directory`);
  rmSync(directory, { recursive: true });
}

const target = resolve(process.argv[2] ?? 'packages');
if (!existsSync(join(DIST, 'main.js'))) throw new Error('there is no build to pack: run `npm run pack`');
for (const description of packagesOf(JSON.parse(readFileSync('package.json', 'utf8')))) {
  const directory = join(target, description.folder);
  clear(directory, description.manifest);
  mkdirSync(directory, { recursive: true });
  write(directory, description);
  const tarball = execFileSync(
    'npm',
    ['pack', '--silent', '--ignore-scripts', '--offline', '--pack-destination', target],
    { cwd: directory, encoding: 'utf8' },
  );
  console.log(join(target, tarball.trim()));
}
