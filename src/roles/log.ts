import { RescindError } from '../contracts/index.js';
import { createCheckpointTopic } from '../feeds/index.js';
import { createLedgerDirectory, createLedgerKeeper, createLedgerWitnesses, readWitnessFile } from '../log/index.js';
import { createKafka } from '../platform/kafka/index.js';
import { createPool, endStuckSessions, type SessionTimeouts } from '../platform/postgres/index.js';
import type { Parts } from './parts.js';

/** The session that holds the right to integrate, and does; one that proves to witnesses. */
const LEDGER_CONNECTIONS = 2;
const LEDGER_NAME = 'rescind-ledger';

/** A batch takes well under a second. */
const LEDGER_TIMEOUTS = { statementMs: 20_000, transactionMs: 20_000 } satisfies Partial<SessionTimeouts>;

/** Codes of a database that is not the one whose checkpoints were signed. */
const FENCING: ReadonlySet<string> = new Set(['ledger-behind', 'ledger-forked']);

/** Starts the role `log`: puts entries under the tree and publishes signed checkpoints, behind the commit. No event waits for it. */
export function startLedger(parts: Parts): void {
  const { config, url, servers, log, metrics, health, lifecycle, pool: watcher, watchPool } = parts;
  const pool = createPool({
    url,
    max: LEDGER_CONNECTIONS,
    applicationName: LEDGER_NAME,
    timeouts: LEDGER_TIMEOUTS,
    onIdleError: (err) => log.warn({ err }, 'an idle database connection was lost'),
  });
  lifecycle.onStop('ledger pool', () => pool.end());
  watchPool('ledger', pool);
  lifecycle.onStop(
    'stuck ledger sessions',
    endStuckSessions({ pool: watcher, applicationName: LEDGER_NAME, olderThanMs: LEDGER_TIMEOUTS.transactionMs, log }),
  );
  const kafka = servers && createKafka({ ...servers, clientId: LEDGER_NAME, log });
  const topic = kafka && createCheckpointTopic({ kafka, prefix: config.topicPrefix });
  if (topic) lifecycle.onStop('topic of checkpoints', () => topic.stop());
  const keeper = createLedgerKeeper({
    pool,
    logOrigin: config.logOrigin,
    directory: createLedgerDirectory(config.ledgerDir),
    anchors: topic ? [topic] : [],
    log,
    metrics,
  });
  lifecycle.onStop('ledgers', () => keeper.stop());
  keeper.start();
  const witnesses = createLedgerWitnesses({ pool, witnesses: readWitnessFile(config.witnessesFile), log, metrics });
  lifecycle.onStop('witnesses', () => witnesses.stop());
  witnesses.start();
  // An old backup that was put in place under a running process. Other failures delay checkpoints and nothing else.
  health.register('ledger', () => {
    const problem = keeper.problem();
    if (problem instanceof RescindError && FENCING.has(problem.code)) throw problem;
  });
}
