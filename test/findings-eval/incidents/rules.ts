import { IDP } from '../../../src/seed/index.js';
import { DAY_S, HOUR_S, SPAN_S } from '../calendar.js';
import { orderOf } from '../office.js';
import { sidOf } from '../teller.js';
import { callSome, type Scene } from './scene.js';

type After = 'token.revoked' | 'user.disabled' | 'session.ended' | 'connection.deleted' | 'an order';

export function useAfterRule(scene: Scene): void {
  const { random, teller, organisation, acts } = scene;
  const rule = random.pick<After>([
    'token.revoked',
    'user.disabled',
    'session.ended',
    'connection.deleted',
    'an order',
  ]);
  const base = scene.cast(({ app }) => app.lifetime >= HOUR_S);
  const { person } = base;
  const at = scene.time(2.2, 13);
  const connection = rule === 'connection.deleted' ? scene.fresh(base.connection.client, ['read']) : base.connection;
  if (rule === 'connection.deleted') teller.connection('connection.created', at - 2 * DAY_S, connection);
  const network = scene.network({ person, connection }, at);
  if (rule === 'connection.deleted') {
    const early = at - DAY_S;
    const used = teller.grant({ at: early, user: person, connection, operations: ['read'] });
    callSome(scene, used, network, { from: early + 3, count: 2, within: 300 });
  }
  const sid = `${sidOf(person, Math.floor(at / DAY_S))}-x`;
  const token = teller.grant({ at, user: person, connection, operations: ['read'], sid });
  callSome(scene, token, network, { from: at + 5, count: 1 + random.below(4), within: 300 });
  const ruled = at + 400 + random.below(1_000);
  const { issuer: iss } = organisation.idp;
  const { app } = connection;
  if (rule === 'user.disabled') {
    person.gone = at - 3 * HOUR_S;
    teller.user('user.disabled', ruled, person);
  } else if (rule === 'session.ended') teller.say(IDP, 'session.ended', ruled, { iss, sid, sub: person.sub });
  else if (rule === 'connection.deleted') teller.connection('connection.deleted', ruled, connection);
  else if (rule === 'token.revoked') {
    const identity = 'sha256' in token.reference ? { iss: app.issuer, ...token.reference } : token.reference;
    teller.say(app.name, 'token.revoked', ruled, { ...identity, kind: 'access', reason: 'reported by its owner' });
  } else acts.push(orderOf(ruled, { user: { iss, sub: person.sub } }, 'revoke', 'account taken over'));
  const size = 1 + random.skewed(25);
  const first = ruled + 60 + random.below(500);
  const last = callSome(scene, token, network, { from: first, count: size, within: 1_200 });
  scene.add({
    kind: 'use-after-rule',
    deed: `${person.sub} served ${size} times at ${app.name} after ${rule}`,
    named: [[person.sub], [token.name], [sid]],
    first,
    last,
    size,
    // An order that is not kept has stopped nothing.
    also: rule === 'an order' ? ['idle-rule'] : [],
  });
}

export function issuedWhileDisabled(scene: Scene): void {
  const { random, teller } = scene;
  const cast = scene.cast(({ app }) => app.lifetime >= HOUR_S);
  const { person, connection } = cast;
  const at = scene.time(1, 12.5);
  const isTemporary = random.chance(0.4);
  const until = at + (1 + random.below(3)) * DAY_S;
  // Ordinary life ends early enough that none of its tokens is used after the disabling.
  if (isTemporary) person.absences = [{ from: at - 300, to: until + HOUR_S, disabled: false }];
  else person.gone = at - 300;
  teller.user('user.disabled', at, person);
  if (isTemporary && until < SPAN_S - HOUR_S) teller.user('user.enabled', until, person);
  const size = 1 + random.skewed(8);
  const first = at + 300 + random.below(8 * HOUR_S);
  const uses = random.chance(0.6);
  let last = first;
  const names = [[person.sub]];
  for (let nth = 0, when = first; nth < size && when < until - 2 * HOUR_S && when < SPAN_S - HOUR_S; nth++) {
    const token = teller.grant({ at: when, user: person, connection, operations: ['read'] });
    names.push([token.name], [token.idJag.jti]);
    last = uses
      ? callSome(scene, token, scene.network(cast, when), { from: when + 5, count: 1 + random.below(4), within: 600 })
      : when + 1;
    when += 600 + random.below(3 * HOUR_S);
  }
  scene.add({
    kind: 'issued-while-disabled',
    deed: `${person.sub}, disabled, was issued ${names.length >> 1} tokens${uses ? ', and used them' : ''}`,
    named: names,
    first,
    last,
    size: names.length >> 1,
    also: ['use-after-rule'],
  });
}

export function idleRule(scene: Scene): void {
  const { random, organisation, acts } = scene;
  const { person } = scene.cast();
  const at = scene.time(1, 8);
  const { issuer: iss } = organisation.idp;
  const typo = `${person.sub.slice(0, 3)}${random.hex(2)}${person.sub.slice(5)}x`;
  const ofClient = random.chance(0.3);
  const selector = ofClient ? { client: { iss, client_id: `app-${typo}` } } : { user: { iss, sub: typo } };
  acts.push(orderOf(at, selector, random.chance(0.5) ? 'block' : 'revoke', 'contractor ended'));
  scene.add({
    kind: 'idle-rule',
    deed: `a rule on ${typo}, which nobody is called`,
    named: [[typo]],
    first: at,
    last: at,
    until: SPAN_S + 2 * HOUR_S,
    size: 1,
  });
}

const ALL_S = 30;

/** Somebody becomes an administrator, or everything is stopped for half a minute in a quiet one. */
export function administration(scene: Scene, nth: number): void {
  const { random, acts } = scene;
  const at = scene.time(2);
  const id = `helper-${random.hex(4)}`;
  const what = nth === 0 ? 'all' : random.pick(['new', 'raised'] as const);
  if (what === 'all') {
    acts.push({
      at,
      does: 'order',
      body: { selector: { all: true }, effect: 'block', until: ALL_S, resume: true, reason: 'drill', confirm: true },
    });
    return;
  }
  if (what === 'raised') acts.push({ at: at - 2 * HOUR_S, does: 'create-caller', id, roles: { audit: {} } });
  acts.push({ at, does: what === 'new' ? 'create-caller' : 'update-caller', id, roles: { admin: {} } });
  scene.add({
    kind: 'administration',
    deed: `${id} became an administrator (${what})`,
    named: [[id]],
    first: at,
    last: at,
    size: 1,
  });
}

/** Moves the orders on everything to a moment in which nothing is used, and adds their incidents. */
export function placeAll(scene: Scene): void {
  const { acts, teller } = scene;
  const uses = teller.events
    .filter(({ name }) => name.startsWith('access.'))
    .map(({ at }) => at - teller.start)
    .sort((one, other) => one - other);
  acts.forEach((act, nth) => {
    if (act.does !== 'order' || !('all' in (act.body['selector'] as object))) return;
    const before = uses.findIndex((at, use) => at > act.at && (uses[use + 1] ?? 0) - at > 4 * ALL_S);
    const at = uses[before]! + 2 * ALL_S;
    acts[nth] = { ...act, at, body: { ...act.body, until: teller.start + at + ALL_S } };
    scene.add({
      kind: 'administration',
      deed: `everything was stopped for ${ALL_S} seconds`,
      named: [[]],
      first: at,
      last: at + ALL_S,
      size: 1,
      also: ['idle-rule'],
    });
  });
}
