// Runs the parts of `rescind serve` for ingest in a process of its own that a spec can kill. Prints `ready` and stays.
import { createControlFollower, createControlLog } from '../../dist/control/index.js';
import { createAppender, createKafkaConsumer, createOffsetStore, createRuleQuota } from '../../dist/ingest/index.js';
import { createKafka } from '../../dist/platform/kafka/index.js';
import { createLog } from '../../dist/platform/log/index.js';
import { createMetrics } from '../../dist/platform/observe/index.js';
import { createPool, endStuckSessions } from '../../dist/platform/postgres/index.js';

const [url, brokers, groupId, applicationName, timeoutsJson] = process.argv.slice(2);
const log = createLog({ level: process.env['TEST_LOG_LEVEL'] ?? 'silent' });
const metrics = createMetrics();
const timeouts = JSON.parse(timeoutsJson);
const pool = createPool({
  url,
  max: 3,
  applicationName,
  timeouts,
  onIdleError: (err) => log.warn({ err }, 'an idle database connection was lost'),
});
if (timeouts.idleInTransactionMs)
  endStuckSessions({ pool, applicationName, olderThanMs: timeouts.idleInTransactionMs, log, intervalMs: 250 });
const controlLog = createControlLog({ pool });
const follower = createControlFollower({ url, controlLog, log, serves: false });
await follower.start();
const appender = createAppender({ pool, controlLog, follower, log, metrics });
await appender.start();
const kafka = createKafka({ brokers: brokers.split(','), clientId: 'fault-ingest', log });
const consumer = createKafkaConsumer({
  kafka,
  groupId,
  follower,
  appender,
  ruleQuota: createRuleQuota({ state: follower.state, metrics }),
  offsets: createOffsetStore({ pool }),
  log,
  metrics,
});
await consumer.start();
process.stdout.write('ready\n');
