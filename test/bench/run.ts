import { printRows, type Row } from './report.js';

/** A million tokens in memory: how much they take, and how fast each is answered. */
const million = () => import('./introspection-memory.js');

/** Each bench stands alone: it starts what it needs, prints nothing but its rows, and leaves nothing behind. */
const BENCHES: Readonly<Record<string, () => Promise<{ readonly run: () => Promise<readonly Row[]> }>>> = {
  'ingest.kafka': () => import('./ingest-kafka.js'),
  'ingest.group': () => import('./ingest-group.js'),
  'ingest.aggregates': () => import('./ingest-aggregates.js'),
  'ingest.http': () => import('./ingest-http.js'),
  'ingest.signed': () => import('./signed-events.js'),
  'ingest.small': () => import('./ingest-small.js'),
  archive: () => import('./archive.js'),
  findings: () => import('./findings.js'),
  cold: () => import('./cold.js'),
  'ingest.poison': () => import('./ingest-poison.js'),
  'introspection.warm': () => import('./introspection-warm.js'),
  'introspection.warm.million': million,
  'introspection.cold': () => import('./introspection-cold.js'),
  'introspection.cold.million': async () => ({ run: (await import('./introspection-cold.js')).runMillion }),
  'introspection.first': () => import('./introspection-first.js'),
  'introspection.first.million': async () => ({ run: (await import('./introspection-first.js')).runMillion }),
  'introspection.flood': () => import('./introspection-flood.js'),
  'memory.tokens': million,
  'memory.rules': () => import('./rules-memory.js'),
  'start.ready': () => import('./start-ready.js'),
  rebuild: () => import('./rebuild.js'),
  ledger: () => import('./ledger.js'),
  fsck: () => import('./fsck.js'),
  'revocation.rate': () => import('./revocation-rate.js'),
  'revocation.latency': () => import('./revocation-latency.js'),
  'revocation.beside-events': () => import('./revocation-beside-events.js'),
  questions: () => import('./questions.js'),
  explore: () => import('./explore.js'),
  'questions.starve': () => import('./questions-starve.js'),
  'console.interaction': () => import('./console-interaction.js'),
  'console.scroll': async () => ({ run: (await import('./console-interaction.js')).runScroll }),
  'guard.check': () => import('./guard-check.js'),
};

if (process.argv.includes('--help')) {
  console.log(
    `npm run bench -- [--json] [name …]; every one without a name. There are ${Object.keys(BENCHES).join(', ')}`,
  );
  process.exit(0);
}
const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const json = process.argv.includes('--json');
const unknown = names.find((name) => !Object.keys(BENCHES).some((bench) => bench.startsWith(name)));
if (unknown !== undefined) {
  console.error(`no bench named ${unknown}; there are ${Object.keys(BENCHES).join(', ')}`);
  process.exit(2);
}
const wanted = Object.entries(BENCHES).filter(
  ([name]) => names.length === 0 || names.some((wish) => (wish in BENCHES ? name === wish : name.startsWith(wish))),
);
// Two names may stand for one program, which runs once.
for (const load of new Set(wanted.map(([, one]) => one))) {
  const { run } = await load();
  printRows(await run(), json);
}
process.exit(0);
