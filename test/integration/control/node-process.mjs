// A node in a process of its own. Prints `ready`; `ask` on its input prints what it answers from, `stop` ends it in order.
import { createInterface } from 'node:readline';
import { createControlFollower, createControlLog } from '../../../dist/control/index.js';
import { createLog } from '../../../dist/platform/log/index.js';
import { createPool } from '../../../dist/platform/postgres/index.js';

const [url, leaseMs] = process.argv.slice(2);
const log = createLog({ level: process.env['TEST_LOG_LEVEL'] ?? 'silent' });
const pool = createPool({ url, max: 1, applicationName: 'spec-node' });
const follower = createControlFollower({
  url,
  controlLog: createControlLog({ pool }),
  log,
  serves: true,
  leaseMs: Number(leaseMs),
});

const sightings = new Map();
// Timers come before sockets when a stopped process goes on.
setInterval(() => {
  const at = Number(process.hrtime.bigint()) / 1e6;
  if (follower.isCurrent()) sightings.set(String(follower.state.head), at);
}, 1);

await follower.start();
process.stdout.write('ready\n');

for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'stop') break;
  process.stdout.write(
    `${JSON.stringify({ current: follower.isCurrent(), head: String(follower.state.head), sightings: [...sightings] })}\n`,
  );
}
await follower.stop();
await pool.end();
process.exit(0);
