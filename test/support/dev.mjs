// `npm run dev`: Node starts this anew after every change below `src`. It builds what has changed, and is then `rescind serve`.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const built = spawnSync(process.execPath, ['test/support/build-if-older.mjs'], { stdio: 'inherit' });
if (built.status === 0) {
  const { entryFile } = JSON.parse(readFileSync('nest-cli.json', 'utf8'));
  const entry = resolve('dist', `${entryFile}.js`);
  process.argv = [process.argv[0], entry, 'serve'];
  await import(pathToFileURL(entry).href);
} else {
  process.exitCode = 1;
}
