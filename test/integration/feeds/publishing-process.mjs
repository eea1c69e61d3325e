// Runs what publishes topics in `rescind serve`, of rules (`topics`), of OCSF events (`siem`) or of findings (`findings`), in a process of its own that a spec can stop
// and kill. Prints `ready` and stays.
import { createControlFollower, createControlLog } from '../../../dist/control/index.js';
import { createFindingsFeed, createSiemFeed, createTopicFeeds, createTopicKeys } from '../../../dist/feeds/index.js';
import { createFindings } from '../../../dist/findings/index.js';
import { createKafka } from '../../../dist/platform/kafka/index.js';
import { createLog } from '../../../dist/platform/log/index.js';
import { createMetrics } from '../../../dist/platform/observe/index.js';
import { createPool } from '../../../dist/platform/postgres/index.js';
import { createAsk } from '../../../dist/projections/index.js';
import { createReader } from '../../../dist/query/index.js';
import { newsOf } from '../../../dist/roles/findings/news.js';

const [what, url, brokers, prefix, applicationName, home] = process.argv.slice(2);
const log = createLog({ level: process.env['TEST_LOG_LEVEL'] ?? 'silent' });
const pool = createPool({
  url,
  max: 3,
  applicationName,
  onIdleError: (err) => log.warn({ err }, 'an idle database connection was lost'),
});
const controlLog = createControlLog({ pool });
const follower = createControlFollower({ url, controlLog, log, serves: false });
await follower.start();
const kafka = createKafka({ brokers: brokers.split(','), clientId: applicationName, log });
const options = { kafka, pool, log, metrics: createMetrics(), prefix };
const ask = createAsk({ pool, now: () => Math.floor(Date.now() / 1000) });
const { state } = follower;
if (what === 'siem') createSiemFeed({ ...options, ask, state }).start();
else if (what === 'findings') {
  const findings = newsOf(createFindings({ ask, reader: createReader(() => state) }), pool);
  createFindingsFeed({ ...options, findings, tenants: () => state.tenants(), format: 'json' }).start();
} else {
  const key = await createTopicKeys({ pool, home }).ensure();
  createTopicFeeds({ ...options, key, controlLog, follower }).start();
}
process.stdout.write('ready\n');
