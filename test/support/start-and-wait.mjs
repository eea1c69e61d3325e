// Starts an embedded service in a process of its own, for specs that kill that process: prints the service's pid and stays.
import { startEmbeddedPostgres, startLocalKafka } from '../../dist/platform/embedded/index.js';
import { createLog } from '../../dist/platform/log/index.js';

const [kind, directory, libraries] = process.argv.slice(2);
const log = createLog({ level: 'warn' });
const start = { postgres: startEmbeddedPostgres, kafka: startLocalKafka }[kind];
const { pid } = await start({ directory, libraries, log });
process.stdout.write(`${pid}\n`);
setInterval(() => undefined, 60_000);
