// Asks nodes over HTTP whether tokens are active, and tells the run what was asked when and what came of it.
// Told over IPC: `start`, `know` (texts), `live` and `dead` (which tokens to draw from), `focus` (ask these now, everywhere).
import { connect } from 'node:net';
import { createDraw } from './draw.mjs';

const [ACTIVE, INACTIVE, UNAVAILABLE] = [0, 1, 2];
/** A node that cannot answer is not asked as fast as it says so. */
const UNAVAILABLE_PAUSE_MS = 50;
const ROUND_EVERY_MS = 5;
/** What was missed for longer is not made up for. */
const MAX_BEHIND_MS = 500;
const RECONNECT_MS = 50;
/** Longer than any node is stopped for: what it says when it wakes is what matters. */
const TIMEOUT_MS = 20_000;
/** A node that has said nothing for so long gets further questions on connections of their own, to be met when it wakes. */
const SILENT_MS = 250;
const LATE_QUESTION_EVERY_MS = 100;
const MAX_LATE_QUESTIONS = 60;
const FLUSH_MS = 50;
/** Of those to be asked now; older ones are dropped. */
const MAX_FOCUSED = 200;

const clock = () => Number(process.hrtime.bigint()) / 1e6;
const draw = createDraw();
let records = [];
let authorization;

function tell(token, via, answer, began) {
  records.push(token, via, answer, began, clock());
}

setInterval(() => {
  if (records.length === 0) return;
  process.send({ checks: Float64Array.from(records) });
  records = [];
}, FLUSH_MS);

function requestOf(text) {
  const body = `token=${text}&token_type_hint=access_token`;
  return (
    `POST /introspect HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: ${authorization}\r\n` +
    `Content-Type: application/x-www-form-urlencoded\r\nAccept: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  );
}

/** Undefined while the response is not complete. */
function readAnswer(text) {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, end));
  if (!length) return complain(`no content-length: ${text}`);
  if (text.length < end + 4 + Number(length[1])) return undefined;
  const status = text.slice(9, 12);
  const body = text.slice(end + 4);
  if (status === '200' && body.startsWith('{"active":true,')) return ACTIVE;
  if (status === '200' && body === '{"active":false}') return INACTIVE;
  if (status === '503') return UNAVAILABLE;
  return complain(text);
}

function complain(text) {
  process.send({ unexpected: text.slice(0, 1_000) });
  return UNAVAILABLE;
}

function createConnection(node, isLate) {
  let text = '';
  let asked;
  const socket = connect({ port: node.port, host: '127.0.0.1', noDelay: true });
  socket.setEncoding('latin1');
  const timer = setTimeout(() => asked && socket.destroy(), TIMEOUT_MS);

  function ask(token) {
    asked = { token, began: clock() };
    node.waitingSince ??= asked.began;
    timer.refresh();
    socket.write(requestOf(draw.text(token)));
  }

  function rest() {
    if (!socket.destroyed) node.idle.push(ask);
    pump(node);
  }

  socket.on('connect', () => {
    const token = isLate ? draw.pick() : undefined;
    if (token === undefined) rest();
    else ask(token);
  });
  socket.on('data', (chunk) => {
    text += chunk;
    const answer = readAnswer(text);
    if (answer === undefined) return;
    text = '';
    node.waitingSince = undefined;
    tell(asked.token, node.via, answer, asked.began);
    asked = undefined;
    if (isLate) socket.destroy();
    else if (answer === UNAVAILABLE) setTimeout(rest, UNAVAILABLE_PAUSE_MS);
    else rest();
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    clearTimeout(timer);
    node.idle = node.idle.filter((other) => other !== ask);
    if (asked) {
      node.waitingSince = undefined;
      tell(asked.token, node.via, UNAVAILABLE, asked.began);
    }
    if (isLate) node.late -= 1;
    else setTimeout(() => createConnection(node, false), RECONNECT_MS);
  });
}

/** Asks what is to be asked now first, then what is due. */
function pump(node) {
  while (node.idle.length > 0) {
    const urgent = node.focus.shift();
    const token = urgent ?? (node.due >= 1 ? draw.pick() : undefined);
    if (token === undefined) return;
    if (urgent === undefined) node.due -= 1;
    node.idle.shift()(token);
  }
}

function start({ nodes, connections, perSecond, authorization: secret }) {
  authorization = secret;
  const all = nodes.map(({ port, via }) => ({ port, via, focus: [], idle: [], due: 0, late: 0, waitingSince: undefined }));
  for (const node of all) for (let n = 0; n < connections; n += 1) createConnection(node, false);
  let last = clock();
  setInterval(() => {
    const now = clock();
    for (const node of all) {
      node.due = Math.min(node.due + ((now - last) * perSecond) / 1_000, (MAX_BEHIND_MS * perSecond) / 1_000);
      pump(node);
    }
    last = now;
  }, ROUND_EVERY_MS);
  setInterval(() => {
    for (const node of all) {
      if (node.waitingSince === undefined || clock() - node.waitingSince < SILENT_MS || node.late >= MAX_LATE_QUESTIONS) continue;
      node.late += 1;
      createConnection(node, true);
    }
  }, LATE_QUESTION_EVERY_MS);
  draw.onFocus((tokens) => {
    for (const node of all) {
      node.focus = [...node.focus, ...tokens].slice(-MAX_FOCUSED);
      pump(node);
    }
  });
}

process.on('message', (message) => {
  if (message.start) start(message.start);
  else draw.hear(message);
});
process.on('disconnect', () => process.exit(0));
process.send({ ready: true });
