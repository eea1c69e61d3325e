// Builds `dist` as nest-cli.json says, if a TypeScript file of the product is newer; other files that the product reads are copied anyway.
// Exits with the compiler's code: it writes `dist` in spite of a type error, which is `npm run typecheck`'s to report.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';

const { sourceRoot, compilerOptions } = JSON.parse(readFileSync('nest-cli.json', 'utf8'));
const MARKER = 'dist/.tsbuildinfo';
const PRODUCT = /(?<!\.spec)\.tsx?$/;

const run = (...args) => spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1;

function isOlder() {
  if (!existsSync(MARKER)) return true;
  const builtAt = statSync(MARKER).mtimeMs;
  const sources = readdirSync(sourceRoot, { recursive: true })
    .filter((name) => PRODUCT.test(name) && !name.startsWith('console/'))
    .map((name) => join(sourceRoot, name));
  return [compilerOptions.tsConfigPath, ...sources].some((path) => statSync(path).mtimeMs > builtAt);
}

if (isOlder()) {
  const startedAt = new Date();
  process.exitCode = run('node_modules/typescript/bin/tsc', '-p', compilerOptions.tsConfigPath);
  // The compiler leaves the file alone if nothing of what it read has changed but its time.
  if (existsSync(MARKER)) utimesSync(MARKER, startedAt, startedAt);
}
run('test/support/copy-assets.mjs');
run('test/support/build-console.mjs');
