import type { Random } from '../../src/seed/index.js';
import { atLocal, DAY_S, HOUR_S, isWeekend, LOCAL_DAYS, SPAN_S } from './calendar.js';
import type { Network } from './networks.js';
import {
  clientAt,
  DANGEROUS,
  OPERATIONS,
  scopeText,
  type App,
  type Connection,
  type Operation,
  type Organisation,
  type Person,
} from './organisation.js';
import { sidOf, type Teller, type Token } from './teller.js';
import { IDP } from '../../src/seed/index.js';

/** How often something happens, as a share of grants unless it says otherwise. */
const CHANCE = {
  weekend: 0.03,
  refusedByIdp: 0.01,
  refusedByApp: 0.007,
  late: 0.005,
  veryLate: 0.0005,
  refresh: 0.12,
  expiredRetry: 0.015,
  hop: 0.3,
  deniedCall: 0.02,
  dangerousCall: 0.05,
  writeCall: 0.2,
  signsOut: 0.008,
  /** Says that the token is of somebody who carries the client around. */
  moves: 0.03,
} as const;

/** A connection that nobody uses for longer is used by somebody: a weekend and one holiday are shorter. */
const LONGEST_SILENCE_S = 100 * HOUR_S;

export interface Life {
  readonly organisation: Organisation;
  readonly random: Random;
  readonly teller: Teller;
  /** The local day on which nobody works. */
  readonly holiday: number;
  /** From when on a connection's approval is what is used of it. */
  readonly narrowed: ReadonlyMap<Connection, number>;
}

/** Tells the ordinary life of every person, day by day. */
export function tellPeople(life: Life): void {
  const uses = new Map<Connection, number[]>();
  for (const person of life.organisation.people) tellPerson(life, person, uses);
  tellFirstUses(life, uses);
  tellRareUses(life, uses);
}

function tellPerson(life: Life, person: Person, uses: Map<Connection, number[]>): void {
  const { random, teller } = life;
  const been = new Map<App, number>();
  for (const day of LOCAL_DAYS) {
    const zone = zoneOn(person, day);
    const isOff = isWeekend(day) || day === life.holiday;
    if (!random.chance(isOff ? CHANCE.weekend : person.diligence)) continue;
    const times = Array.from({ length: 1 + random.skewed(3) }, () =>
      atLocal(day, zone, 9 * HOUR_S + person.shift + random.below(8 * HOUR_S)),
    ).sort((one, other) => one - other);
    const present = times.filter((at) => isPresent(person, at));
    const sid = sidOf(person, day);
    for (const at of present) tellGrant(life, person, { at, sid, been, uses });
    const evening = atLocal(day, zone, 21.75 * HOUR_S);
    if (present.length > 0 && random.chance(CHANCE.signsOut) && isPresent(person, evening))
      teller.say(IDP, 'session.ended', evening, {
        iss: life.organisation.idp.issuer,
        sid,
        sub: person.sub,
      });
  }
}

const zoneOn = ({ zone, trip }: Person, day: number): number =>
  trip && atLocal(day, zone, 12 * HOUR_S) > trip.from && atLocal(day, zone, 12 * HOUR_S) < trip.to ? trip.zone : zone;

export const isPresent = (person: Person, at: number): boolean =>
  at > 0 &&
  at < SPAN_S - 300 &&
  at < (person.gone ?? Infinity) &&
  !person.absences.some(({ from, to }) => at >= from && at < to);

/** The time from which on nothing of the person may be used. */
const limitOf = (person: Person, at: number): number =>
  Math.min(person.gone ?? Infinity, SPAN_S, ...person.absences.flatMap(({ from }) => (from > at ? [from] : [])));

const habitsOf = ({ habits, moved }: Person, at: number): readonly Connection[] =>
  moved && at >= moved.at ? moved.habits : habits;

/** One token is used from one network, whose addresses may change: an office, a home, a carrier's /24, an agent's platform. */
export function networkOfPerson(
  organisation: Organisation,
  random: Random,
  person: Person,
  client: Connection['client'],
  at: number,
): Network {
  if (client.platform) return client.platform;
  if (person.trip && at > person.trip.from && at < person.trip.to) return person.trip.network;
  const drawn = random.next();
  if (drawn < 0.55) return person.office;
  return drawn < 0.85 ? person.home : organisation.networks.mobile(person.carrier, random);
}

interface Moment {
  readonly at: number;
  readonly sid: string;
  readonly been?: Map<App, number>;
  readonly uses: Map<Connection, number[]>;
  readonly connection?: Connection;
  /** An operation that is certainly done. */
  readonly operation?: Operation;
}

function tellGrant(life: Life, person: Person, { at, sid, been, uses, connection: wanted, operation }: Moment): void {
  const { organisation, random, teller } = life;
  const habits = habitsOf(person, at);
  const connection = wanted ?? habits[random.skewed(habits.length, 1.5)]!;
  const { client, app } = connection;
  const operations = operation ? connection.used : askedFor(life, connection, at);
  const network = networkOfPerson(organisation, random, person, client, at);
  const limit = limitOf(person, at);
  if (!wanted && tellRefusal(life, person, { at, sid, connection, operations })) return;
  const late =
    at < SPAN_S - 8 * HOUR_S && random.chance(CHANCE.late)
      ? 600 + random.below(random.chance(CHANCE.veryLate / CHANCE.late) ? 5 * HOUR_S : 1_800)
      : undefined;
  const token = teller.grant({ at, user: person, sid, connection, operations, late });
  const move = client.platform ? undefined : drawMove(life, person, network);
  const used = tellCalls(life, connection, token, { from: at + 2, limit, network, move, operation });
  uses.set(connection, [...(uses.get(connection) ?? []), at]);
  if (been && used && !been.has(app)) been.set(app, at);
  if (random.chance(CHANCE.refresh) && app.lifetime <= HOUR_S) tellRefreshed(life, connection, token, network, limit);
  const expired = at + app.lifetime + 5;
  if (random.chance(CHANCE.expiredRetry) && app.lifetime <= HOUR_S && expired + 60 < limit)
    for (let nth = 0; nth < 2 + random.below(3); nth++)
      teller.call(token, { at: expired + nth * 9, operation: 'read', network, denied: 401 });
  if (client.agent && been) tellHop(life, person, token, { been, uses, at: at + 90, limit });
}

/** A device falls back to its carrier's network and may return, or its owner goes home. */
function drawMove({ organisation, random }: Life, person: Person, network: Network): Move | undefined {
  if (!random.chance(CHANCE.moves)) return undefined;
  if (network === person.office && random.chance(0.4))
    return { network: person.home, pause: 20 * 60 + random.below(1_200), returns: false };
  return { network: organisation.networks.mobile(person.carrier, random), pause: 5, returns: random.chance(0.5) };
}

/** Half of the requests ask for all that is approved, the others for less. */
function askedFor({ random, narrowed }: Life, connection: Connection, at: number): readonly Operation[] {
  const { approved, used } = connection;
  const isNarrowed = at > (narrowed.get(connection) ?? Infinity) - HOUR_S;
  if (!isNarrowed && random.chance(0.5)) return approved;
  return used.slice(0, 1 + random.below(used.length));
}

function tellRefusal(
  { organisation, random, teller }: Life,
  person: Person,
  {
    at,
    sid,
    connection,
    operations,
  }: { at: number; sid: string; connection: Connection; operations: readonly Operation[] },
): boolean {
  const { client, app } = connection;
  if (random.chance(CHANCE.refusedByIdp)) {
    teller.say(IDP, 'id-jag.denied', at, {
      iss: organisation.idp.issuer,
      sub: person.sub,
      client_id: clientAt(client, app),
      idp_client_id: client.id,
      aud: [app.issuer],
      resource: [app.resource],
      scope: scopeText(app, operations),
      ...(client.agent ? { agent: client.agent } : {}),
      error: 'access_denied',
      reason: 'step-up needed',
    });
    return true;
  }
  if (random.chance(CHANCE.refusedByApp)) {
    const id_jag = teller.idJag({ at, user: person, sid, connection, operations });
    teller.say(app.name, 'token.denied', at + 1, {
      iss: app.issuer,
      id_jag,
      client_id: clientAt(client, app),
      error: 'invalid_grant',
      reason: 'no such account',
    });
    return true;
  }
  return false;
}

/** A token goes on to another network, after so many seconds. */
interface Move {
  readonly network: Network;
  readonly pause: number;
  readonly returns: boolean;
}

interface Calls {
  readonly from: number;
  readonly limit: number;
  readonly network: Network;
  readonly move?: Move | undefined;
  readonly operation?: Operation | undefined;
}

/** Tells a few calls and says whether any was served. */
function tellCalls(
  { random, teller }: Life,
  connection: Connection,
  token: Token,
  { from, limit, network: first, move, operation: certain }: Calls,
): boolean {
  const last = Math.min(limit - 60, token.at + Math.min(token.lifetime, HOUR_S) - 60);
  const may = connection.used.filter((operation) => token.operations.includes(operation));
  const dangerous = may.filter((operation) => DANGEROUS.includes(operation));
  let at = from;
  let served = false;
  let network = first;
  for (let count = 1 + random.skewed(7); count > 0 && at < last; count--, at += 2 + random.skewed(700)) {
    if (move && served && network === first && random.chance(0.6)) {
      network = move.network;
      at += move.pause;
      if (at >= last) break;
    } else if (move?.returns && network !== first && random.chance(0.5)) network = first;
    if (!certain && random.chance(CHANCE.deniedCall)) {
      const refused = OPERATIONS.find((operation) => !token.operations.includes(operation));
      if (refused) teller.call(token, { at, operation: refused, network, denied: 403 });
      continue;
    }
    const drawn = random.next();
    const ordinary: Operation = drawn < CHANCE.writeCall && may.includes('write') ? 'write' : 'read';
    const operation =
      certain && !served
        ? certain
        : dangerous.length > 0 && drawn > 1 - CHANCE.dangerousCall
          ? random.pick(dangerous)
          : ordinary;
    teller.call(token, { at, operation, network, records: recordsOf(random, operation) });
    served = true;
  }
  return served;
}

function recordsOf(random: Random, operation: Operation): number {
  if (operation === 'export') return 50 + random.skewed(2_400, 2);
  return operation === 'read' ? 1 + random.skewed(80) : 1;
}

function tellRefreshed(life: Life, connection: Connection, first: Token, network: Network, limit: number): void {
  const { random, teller } = life;
  const user = first.idJag;
  const { app } = connection;
  const refresh = teller.token(
    {
      at: first.at,
      user,
      connection,
      operations: first.operations,
      token: { kind: 'refresh', aud: [app.issuer] },
    },
    first.idJag,
  );
  for (let more = 1 + random.below(2), at = first.at; more > 0; more--) {
    at += app.lifetime - 60;
    if (at + 60 > limit) return;
    tellCalls(life, connection, teller.refreshed(first, at, refresh), { from: at + 2, limit, network });
  }
}

/** An agent trades its token for one to another application, where its user has been before. */
function tellHop(
  life: Life,
  person: Person,
  parent: Token,
  {
    been,
    uses,
    at,
    limit,
  }: { been: ReadonlyMap<App, number>; uses: Map<Connection, number[]>; at: number; limit: number },
): void {
  const { organisation, random, teller } = life;
  const { client, app } = parent.connection;
  const to = habitsOf(person, at).find(
    (other) =>
      other.client === client &&
      other.app !== app &&
      // The events of a troubled application may be lost.
      !organisation.troubled.includes(other.app) &&
      (been.get(other.app) ?? Infinity) < at - HOUR_S,
  );
  if (!to || at + 600 > limit || !random.chance(CHANCE.hop)) return;
  const token = teller.grant({
    at,
    user: person,
    sid: parent.idJag.sid,
    connection: to,
    operations: ['read'],
    idJag: { parent: parent.reference },
  });
  tellCalls(life, to, token, { from: at + 3, limit, network: client.platform! });
  uses.set(to, [...(uses.get(to) ?? []), at]);
}

/** On the second day each connection's dangerous operations are used, so that a later use of them is nothing new. */
function tellFirstUses(life: Life, uses: Map<Connection, number[]>): void {
  for (const connection of life.organisation.connections)
    for (const operation of connection.used.filter((one) => DANGEROUS.includes(one)))
      someUse(life, uses, connection, 1, operation);
}

function tellRareUses(life: Life, uses: Map<Connection, number[]>): void {
  for (const connection of life.organisation.connections) {
    const all = [0, ...(uses.get(connection) ?? []), SPAN_S].sort((one, other) => one - other);
    for (let nth = 1; nth < all.length; nth++) {
      for (let at = all[nth - 1]!; all[nth]! - at > LONGEST_SILENCE_S - DAY_S; ) {
        const day = [2, 3, 1, 4]
          .map((days) => Math.floor(at / DAY_S) + days)
          .find((one) => !isWeekend(one) && one !== life.holiday && atLocal(one, 0, 16 * HOUR_S) < all[nth]!);
        if (day === undefined) break;
        someUse(life, uses, connection, day);
        at = atLocal(day, 0, 16 * HOUR_S);
      }
    }
  }
}

/** Has somebody of a team that has the connection use it on a day. */
function someUse(
  life: Life,
  uses: Map<Connection, number[]>,
  connection: Connection,
  day: number,
  operation?: Operation,
): void {
  const { organisation, random } = life;
  const noon = (zone: number): number => atLocal(day, zone, 13 * HOUR_S);
  const able = organisation.people.filter(
    (person) => habitsOf(person, noon(person.zone)).includes(connection) && isPresent(person, noon(person.zone)),
  );
  if (able.length === 0) return;
  const person = random.pick(able);
  const at = noon(person.zone) + random.below(2 * HOUR_S);
  if (isPresent(person, at))
    tellGrant(life, person, {
      at,
      sid: `${sidOf(person, day)}-2`,
      uses,
      connection,
      ...(operation ? { operation } : {}),
    });
}
