// A guard in a process of its own that a spec can stop. Prints `ready` once it answers locally; `ask` on its input prints what it saw.
import { createInterface } from 'node:readline';
import { createGuard } from '../../../dist/guard/index.js';

const [rescind, id] = process.argv.slice(2);
const { GUARD_SECRET: secret, GUARD_TOKEN: token } = process.env;
const guard = createGuard({ rescind, credentials: { id, secret } });
guard.start();
await guard.ready;
await guard.check(token);

let lastActiveAt = -1;
let looks = 0;
// Timers come before sockets when a stopped process goes on.
setInterval(() => {
  const answer = guard.check(token);
  // Read after the answer: what was said cannot have been said later.
  const at = Number(process.hrtime.bigint()) / 1e6;
  looks++;
  if (!(answer instanceof Promise) && answer.state === 'active') lastActiveAt = at;
}, 1);
process.stdout.write('ready\n');

for await (const _ of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify({ lastActiveAt, looks, local: guard.stats().local })}\n`);
}
