import { readFileSync } from 'node:fs';

/** Reads a `.sql` file beside its caller: `loadSql(import.meta.url, 'append.sql')`. Call it once, at load. */
export function loadSql(moduleUrl: string, name: string): string {
  if (!/^[a-z0-9-]+\.sql$/.test(name)) throw new TypeError(`not the name of a .sql file: ${name}`);
  return readFileSync(new URL(name, moduleUrl), 'utf8');
}
