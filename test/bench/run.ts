import { printRows, type Row } from './report.js';

/** Each bench stands alone: it starts what it needs, prints nothing but its rows, and leaves nothing behind. */
const BENCHES: Readonly<Record<string, () => Promise<{ readonly run: () => Promise<readonly Row[]> }>>> = {
  'ingest.kafka': () => import('./ingest-kafka.js'),
  'ingest.http': () => import('./ingest-http.js'),
  'introspection.warm': () => import('./introspection-warm.js'),
  'introspection.cold': () => import('./introspection-cold.js'),
  'introspection.first': () => import('./introspection-first.js'),
  'introspection.flood': () => import('./introspection-flood.js'),
  'memory.tokens': () => import('./introspection-memory.js'),
  'memory.rules': () => import('./rules-memory.js'),
  'rules.start': () => import('./rules-start.js'),
  'revocation.rate': () => import('./revocation-rate.js'),
  'revocation.latency': () => import('./revocation-latency.js'),
  'guard.check': () => import('./guard-check.js'),
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
