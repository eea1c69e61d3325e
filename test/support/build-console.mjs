// Builds the console into `dist/console` with vite, if a file of it or a package is newer than its build, and prints what the first load weighs.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const SOURCES = 'src/console';
/** Folders whose files are built into it. */
const READ = [SOURCES, 'src/merkle'];
const TARGET = 'dist/console';
const PAGE = join(TARGET, 'index.html');

function isOlder() {
  if (!existsSync(PAGE)) return true;
  const builtAt = statSync(PAGE).mtimeMs;
  // Folders count too: a file that was removed is newer nowhere else.
  const sources = READ.flatMap((folder) =>
    readdirSync(folder, { recursive: true })
      .filter((name) => !/\.(?:md|spec\.tsx?)$/.test(name))
      .map((name) => join(folder, name)),
  );
  return ['package-lock.json', ...READ, ...sources].some((path) => statSync(path).mtimeMs > builtAt);
}

/** Scripts that the page names, which are loaded before anything is shown. */
function firstLoadKb() {
  const scripts = [...readFileSync(PAGE, 'utf8').matchAll(/(?:src|href)="\/console\/(assets\/[^"]+\.js)"/g)];
  const bytes = scripts.map(([, name]) => gzipSync(readFileSync(join(TARGET, name))).length);
  return bytes.reduce((sum, one) => sum + one, 0) / 1024;
}

if (existsSync(SOURCES) && isOlder()) {
  // Else a build that tests began has React's development code, which is slower and larger.
  process.env.NODE_ENV = 'production';
  const { build } = await import('vite');
  await build({ root: SOURCES, logLevel: 'error' });
  console.log(`console: first load ${firstLoadKb().toFixed(0)} KB of compressed JavaScript`);
}
