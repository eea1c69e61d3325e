// tsc copies no .sql files: this puts each beside its compiled caller.
import { cpSync } from 'node:fs';
cpSync('src', 'dist', { recursive: true, filter: (path) => !/\.(ts|tsx|md|snap)$/.test(path) });
