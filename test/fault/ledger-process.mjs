// Runs the keeper of ledgers, as `rescind serve` does, in a process of its own that a spec can kill. Prints each step before it is done, as `{ step, note? }`, and the
// first failure as `{ problem }`. At the step `stopAt` it stands still until it reads something, once. It ends with its input.
import { once } from 'node:events';
import { createCheckpointTopic } from '../../dist/feeds/index.js';
import { createLedgerDirectory, createLedgerKeeper } from '../../dist/log/index.js';
import { createKafka } from '../../dist/platform/kafka/index.js';
import { createLog } from '../../dist/platform/log/index.js';
import { createMetrics } from '../../dist/platform/observe/index.js';
import { createPool } from '../../dist/platform/postgres/index.js';

const { url, root, brokers, prefix, logOrigin, stopAt } = JSON.parse(process.argv[2]);
process.stdin.once('end', () => process.exit());
let stopsAt = stopAt;
const log = createLog({ level: process.env['TEST_LOG_LEVEL'] ?? 'silent' });
const print = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

async function at(step, note) {
  print({ step, note });
  if (step !== stopsAt) return;
  stopsAt = undefined;
  await once(process.stdin, 'data');
}

/** An anchor whose steps are told. */
const told = (anchor, name) => ({
  ...anchor,
  async keep(tenant, checkpoint) {
    await at(`keep in ${name}`, checkpoint.note);
    await anchor.keep(tenant, checkpoint);
  },
});

const kafka = createKafka({ brokers, clientId: 'fault-ledger', log });
const served = { name: 'none', notes: async () => [], keep: () => at('serve') };
const keeper = createLedgerKeeper({
  pool: createPool({ url, max: 1, applicationName: 'fault-ledger', onIdleError: () => undefined }),
  logOrigin,
  directory: told(createLedgerDirectory(root), 'file'),
  anchors: [told(createCheckpointTopic({ kafka, prefix }), 'topic'), served],
  log: { ...log, error: ({ err }) => print({ problem: err.code ?? err.message }), warn: () => undefined },
  metrics: createMetrics(),
  lookEveryMs: 10,
  onStep: (step) => at(step),
});
keeper.start();
process.stdin.resume();
