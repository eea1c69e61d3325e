// A resource server that checks tokens by the library in it, and tells the run what was asked when and what came of it.
// Told over IPC: `start`, `leave`, and what `draw.mjs` hears. First argument: the guard's module.
import { pathToFileURL } from 'node:url';
import { createDraw } from './draw.mjs';

const { createGuard } = await import(pathToFileURL(process.argv[2]).href);

const ANSWERS = { active: 0, inactive: 1, unavailable: 2 };
const ROUND_EVERY_MS = 10;
/** Checks that are more overdue than this are skipped. */
const MAX_BEHIND_MS = 500;
/** Checks that wait for an answer of the node. */
const MAX_ASKING = 32;
const FLUSH_MS = 50;

const clock = () => Number(process.hrtime.bigint()) / 1e6;
const draw = createDraw();
let records = [];
let guard;
let via;
let asking = 0;

function check(token) {
  const began = clock();
  const answer = guard.check(draw.text(token));
  const tell = ({ state }) => records.push(token, via, ANSWERS[state], began, clock());
  if (!(answer instanceof Promise)) return tell(answer);
  asking += 1;
  return later(answer, tell);
}

async function later(answer, tell) {
  const given = await answer;
  asking -= 1;
  tell(given);
}

function flush() {
  if (records.length === 0) return;
  process.send({ checks: Float64Array.from(records) });
  records = [];
}

/** Makes the checks that are due at the given number a second. */
function createRounds(perSecond) {
  let doneUntil = clock();
  return () => {
    const now = clock();
    doneUntil = Math.max(doneUntil, now - MAX_BEHIND_MS);
    for (; doneUntil < now; doneUntil += 1_000 / perSecond) {
      const token = draw.pick();
      if (token !== undefined && asking < MAX_ASKING) check(token);
    }
  };
}

function start({ rescind, key, via: number, perSecond }) {
  via = number;
  guard = createGuard({ rescind, credentials: { key } });
  guard.start();
  setInterval(createRounds(perSecond), ROUND_EVERY_MS);
  setInterval(flush, FLUSH_MS);
  draw.onFocus((tokens) => tokens.forEach(check));
}

async function leave() {
  await guard.stop();
  flush();
  process.send({ stats: guard.stats() }, () => process.exit(0));
}

process.on('message', (message) => {
  if (message.start) start(message.start);
  else if (message.leave) void leave();
  else draw.hear(message);
});
process.on('disconnect', () => process.exit(0));
process.send({ ready: true });
