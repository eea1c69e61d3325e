// Asks nodes over HTTP whether tokens are active, and tells the run what was asked when and what came of it.
// Told over IPC: `start`, `know` (texts), `live` and `dead` (which tokens to draw from), `focus` (ask these now, everywhere).
import { connect } from 'node:net';
import { createDraw } from './draw.mjs';

const [ACTIVE, INACTIVE, UNAVAILABLE] = [0, 1, 2];
/** A node that cannot answer is not asked as fast as it says so. */
const UNAVAILABLE_PAUSE_MS = 50;
const ROUND_EVERY_MS = 5;
/** Checks that are more overdue than this are skipped. */
const MAX_BEHIND_MS = 500;
const RECONNECT_MS = 50;
/** Longer than any node is stopped for: what it says when it wakes is what matters. */
const TIMEOUT_MS = 20_000;
/** A node that has said nothing for so long gets further questions on connections of their own, to be met when it wakes. */
const SILENT_MS = 250;
const LATE_QUESTION_EVERY_MS = 100;
const MAX_LATE_QUESTIONS = 60;
const FLUSH_MS = 50;
/** Tokens that are to be asked about at once; older ones are dropped. */
const MAX_FOCUSED = 200;
/** Questions that a pipelining connection sends at once. */
const PIPELINED = 8;
/** A pipelining connection puts a question in front whose answer takes a while: the others are sent long before they may be decided. */
const SLOW_FRONT_SHARE = 0.7;
/** More than the kernel takes to carry an answer from one process to another. */
const DELIVERY_MS = 20;

const clock = () => Number(process.hrtime.bigint()) / 1e6;
const draw = createDraw();
let records = [];
/** Checks since the last report that waited for the answer to the check before them. */
let behind = 0;
let authorization;
let waitingAuthorization;
/** When the last round began, and the one before it. */
let [round, roundBefore] = [0, 0];

function tell(token, via, answer, began) {
  records.push(token, via, answer, began, clock());
}

setInterval(() => {
  if (records.length === 0) return;
  process.send({ checks: Float64Array.from(records), behind });
  records = [];
  behind = 0;
}, FLUSH_MS);

function requestOf(text, secret = authorization) {
  const body = `token=${text}&token_type_hint=access_token`;
  return (
    `POST /introspect HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: ${secret}\r\n` +
    `Content-Type: application/x-www-form-urlencoded\r\nAccept: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  );
}

/** The first response and what follows it. Undefined while the response is not complete. */
function readResponse(text) {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, end));
  const to = length ? end + 4 + Number(length[1]) : text.length;
  if (text.length < to) return undefined;
  return {
    answer: length ? answerOf(text.slice(0, to), end + 4) : complain(`no content-length: ${text}`),
    rest: text.slice(to),
  };
}

function answerOf(text, bodyAt) {
  const status = text.slice(9, 12);
  const body = text.slice(bodyAt);
  if (status === '200' && body.startsWith('{"active":true,')) return ACTIVE;
  if (status === '200' && body === '{"active":false}') return INACTIVE;
  if (status === '503') return UNAVAILABLE;
  return complain(text);
}

function complain(text) {
  process.send({ unexpected: text.slice(0, 1_000) });
  return UNAVAILABLE;
}

/** `way`: 'one' question at a time, 'late' a single question, 'pipelined' several at once. */
function createConnection(node, way) {
  let text = '';
  let asked = [];
  /** An answer read now went out later than this. */
  let earliest = 0;
  let pause = false;
  const socket = connect({ port: node.port, host: '127.0.0.1', noDelay: true });
  socket.setEncoding('latin1');
  const timer = setTimeout(() => asked.length > 0 && socket.destroy(), TIMEOUT_MS);

  function ask(token) {
    const began = clock();
    const tokens = [token];
    const count = way === 'pipelined' ? PIPELINED : 1;
    while (tokens.length < count) tokens.push(node.focus.shift() ?? draw.pick());
    asked = tokens.map((each) => ({ token: each, began }));
    let requests = tokens.map((each) => requestOf(draw.text(each))).join('');
    if (way === 'pipelined' && Math.random() < SLOW_FRONT_SHARE) {
      asked.unshift({ token: undefined, began });
      requests = requestOf(`unknown-${began}-${Math.random()}`, waitingAuthorization) + requests;
    }
    node.waitingSince ??= began;
    [earliest, pause] = [0, false];
    timer.refresh();
    socket.write(requests);
  }

  function rest() {
    if (!socket.destroyed) node.idle.push(ask);
    pump(node);
  }

  function hear(answer) {
    const { token, began } = asked.shift();
    if (earliest > began) behind += 1;
    // A question is decided after the answer before it went out.
    if (token !== undefined) tell(token, node.via, answer, Math.max(began, earliest));
    // The kernel would have shown an answer that was there at the round before the last.
    earliest = roundBefore - DELIVERY_MS;
    pause ||= answer === UNAVAILABLE;
  }

  socket.on('connect', () => {
    const token = way === 'late' ? draw.pick() : undefined;
    if (token === undefined) rest();
    else ask(token);
  });
  socket.on('data', (chunk) => {
    text += chunk;
    for (let read = readResponse(text); read !== undefined && asked.length > 0; read = readResponse(text)) {
      text = read.rest;
      hear(read.answer);
    }
    node.waitingSince = asked.length === 0 ? undefined : clock();
    if (asked.length > 0) return;
    if (way === 'late') socket.destroy();
    else if (pause) setTimeout(rest, UNAVAILABLE_PAUSE_MS);
    else rest();
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    clearTimeout(timer);
    node.idle = node.idle.filter((other) => other !== ask);
    if (asked.length > 0) node.waitingSince = undefined;
    for (const { token, began } of asked) if (token !== undefined) tell(token, node.via, UNAVAILABLE, began);
    if (way === 'late') node.late -= 1;
    else setTimeout(() => createConnection(node, way), RECONNECT_MS);
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

function start({
  nodes,
  connections,
  pipelining,
  perSecond,
  authorization: secret,
  waitingAuthorization: waitingSecret,
}) {
  [authorization, waitingAuthorization] = [secret, waitingSecret];
  const all = nodes.map(({ port, via }) => ({
    port,
    via,
    focus: [],
    idle: [],
    due: 0,
    late: 0,
    waitingSince: undefined,
  }));
  for (const node of all)
    for (let n = 0; n < connections; n += 1) createConnection(node, n < pipelining ? 'pipelined' : 'one');
  let last = clock();
  setInterval(() => {
    const now = clock();
    [roundBefore, round] = [round, now];
    for (const node of all) {
      node.due = Math.min(node.due + ((now - last) * perSecond) / 1_000, (MAX_BEHIND_MS * perSecond) / 1_000);
      pump(node);
    }
    last = now;
  }, ROUND_EVERY_MS);
  setInterval(() => {
    for (const node of all) {
      if (node.waitingSince === undefined || clock() - node.waitingSince < SILENT_MS || node.late >= MAX_LATE_QUESTIONS)
        continue;
      node.late += 1;
      createConnection(node, 'late');
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
