import { printRows, type Row } from './report.js';

/** Each bench stands alone: it starts what it needs, prints nothing but its rows, and leaves nothing behind. */
const BENCHES: Readonly<Record<string, () => Promise<{ readonly run: () => Promise<readonly Row[]> }>>> = {
  'ingest.kafka': () => import('./ingest-kafka.js'),
  'ingest.http': () => import('./ingest-http.js'),
  'ingest.poison': () => import('./ingest-poison.js'),
};

const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const json = process.argv.includes('--json');
const unknown = names.find((name) => !Object.keys(BENCHES).some((bench) => bench.startsWith(name)));
if (unknown !== undefined) {
  console.error(`no bench named ${unknown}; there are ${Object.keys(BENCHES).join(', ')}`);
  process.exit(2);
}
for (const [name, load] of Object.entries(BENCHES)) {
  if (names.length > 0 && !names.some((wanted) => name.startsWith(wanted))) continue;
  const { run } = await load();
  printRows(await run(), json);
}
process.exit(0);
