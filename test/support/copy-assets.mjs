// tsc copies no .sql files: this puts each beside its compiled caller; vite copies the console's. The argument is where `src` was compiled to.
import { cpSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const target = process.argv[2] ?? 'dist';
cpSync('src', target, { recursive: true, filter: (path) => !/\.(ts|tsx|md|snap)$|^src.console(?!\w)/.test(path) });
if (target !== 'dist') {
  writeFileSync(join(dirname(target), 'package.json'), '{ "type": "module" }\n');
  cpSync('docker/kafka', join(dirname(target), 'docker/kafka'), { recursive: true });
}
