// A producer in a process of its own that a spec can kill: prints the id of each event that it was told is on disk.
import { createProducer, httpTransport } from '../../../dist/emit/index.js';

const [url, directory, from, count] = process.argv.slice(2);
const source = 'https://idp.example';
const producer = createProducer({
  source,
  transport: httpTransport({ url, credentials: { bearer: 'k' }, timeoutMs: 1_000 }),
  spool: { directory },
  flushMs: 1,
  retry: { firstMs: 1, maxMs: 10 },
  onDropped: ({ event, reason }) => process.stdout.write(`dropped ${event?.id} ${reason}\n`),
  onRefused: ({ event, code }) => process.stdout.write(`refused ${event.id} ${code}\n`),
});
for (let n = Number(from); n < Number(from) + Number(count); n++) {
  const data = { iss: source, sid: `s${n}`, sub: 'u1' };
  const durable = producer.emitDurably('session.ended', data, { id: String(n), until: 'spooled', timeoutMs: 60_000 });
  if (n % 50 === 0) await durable;
  durable.then(({ id }) => process.stdout.write(`safe ${id}\n`));
}
setInterval(() => undefined, 60_000);
