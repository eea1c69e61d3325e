// `npm run services`: one PostgreSQL and one Kafka for `npm run test:one`, until Ctrl-C. Run by Node itself, which takes the types away.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type * as StartServices from './start-services.js';

const { KEPT_SERVICES, keptServices, startServers } = (await import(
  new URL('./start-services.ts', import.meta.url).href
)) as typeof StartServices;

const others = await keptServices();
if (others !== undefined) {
  console.error(`Process ${others.pid} keeps the services up already, as ${KEPT_SERVICES} says.`);
  process.exit(1);
}
const stopped = new Promise((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve);
});
const servers = await startServers();
const kept: StartServices.KeptServices = {
  pid: process.pid,
  databaseUrl: servers.postgres.url,
  brokers: servers.kafka.brokers,
};
mkdirSync(dirname(KEPT_SERVICES), { recursive: true, mode: 0o700 });
// The URL has the password.
writeFileSync(KEPT_SERVICES, `${JSON.stringify(kept, undefined, 2)}\n`, { mode: 0o600 });
console.log(
  `PostgreSQL: ${kept.databaseUrl}\nKafka: ${kept.brokers.join(', ')}\n\`npm run test:one -- <path>\` finds them in ${KEPT_SERVICES}. Ctrl-C ends both.`,
);
await stopped;
rmSync(KEPT_SERVICES, { force: true });
await servers.stop();
