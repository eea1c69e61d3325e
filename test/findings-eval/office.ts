import type { Random } from '../../src/seed/index.js';
import { IDP } from '../../src/seed/index.js';
import { atLocal, DAY_S, HOUR_S, isWeekend, SPAN_S } from './calendar.js';
import { isPresent, networkOfPerson, type Life } from './noise.js';
import { clientAt, DANGEROUS, draw, type Connection, type Organisation, type Person } from './organisation.js';
import type { Act } from './truth.js';

const ON_HOLIDAY = 0.12;
const DISABLED_MEANWHILE = 0.15;
const TRAVELS = 0.05;
const LEAVERS = 10;
const RETURNERS = 6;
const REORGANISED = 2;
const NEW_TOOLS = 3;
const ORDERS = 4;
const RENEWALS = 8;

/** Decides who is away, who travels, who leaves and which teams get other applications; the people of incidents stay as they are. */
export function planOffice(
  organisation: Organisation,
  random: Random,
  isCast: (person: Person) => boolean,
  freshConnection: (operations: Connection['approved']) => Connection | undefined,
): { readonly leavers: readonly Person[]; readonly created: readonly { at: number; connection: Connection }[] } {
  const free = organisation.people.filter((person) => !isCast(person));
  const workday = (from: number, size: number): number => {
    for (;;) {
      const day = from + random.below(size);
      if (!isWeekend(day)) return day;
    }
  };
  const evening = (person: Person, day: number): number => atLocal(day, person.zone, 22 * HOUR_S);
  for (const person of free) {
    if (random.chance(ON_HOLIDAY)) {
      const from = random.below(10) - 3;
      const to = from + 4 + random.below(9);
      person.absences = [
        {
          from: evening(person, from),
          to: atLocal(to, person.zone, 6 * HOUR_S),
          disabled: random.chance(DISABLED_MEANWHILE) && from >= 0,
        },
      ];
    } else if (random.chance(TRAVELS)) {
      const from = (1 + random.below(9)) * DAY_S;
      person.trip = {
        from,
        to: from + (2 + random.below(4)) * DAY_S,
        zone: random.pick([-8, -5, 0, 1, 4, 8]),
        network: organisation.networks.fresh(20),
      };
    }
  }
  const staying = draw(
    random,
    free.filter(({ absences, trip }) => absences.length === 0 && !trip),
    LEAVERS + RETURNERS,
  );
  const leavers = staying.slice(0, LEAVERS);
  for (const person of leavers) person.gone = evening(person, workday(2, 9));
  for (const person of staying.slice(LEAVERS)) {
    const from = 1 + random.below(5);
    const to = atLocal(from + 3 + random.below(4), person.zone, 6 * HOUR_S);
    person.absences = [{ from: evening(person, from), to, disabled: true }];
  }
  const created: { at: number; connection: Connection }[] = [];
  draw(random, [...organisation.menus.keys()], REORGANISED + NEW_TOOLS).forEach((team, nth) => {
    const isReorganised = nth < REORGANISED;
    const at = atLocal(workday(3, 8), 1, 7 * HOUR_S) - random.below(HOUR_S);
    const fresh = Array.from({ length: isReorganised ? 3 : 1 }, () => freshConnection(['read', 'write'])).flatMap(
      (one) => one ?? [],
    );
    for (const connection of fresh) created.push({ at, connection });
    for (const person of free.filter((one) => one.team === team))
      person.moved = {
        at: at + 600,
        habits: isReorganised ? [...fresh, person.habits[0]!] : [...person.habits, ...fresh],
      };
  });
  return { leavers, created };
}

/** Approvals that are said again as they are, or without a dangerous scope that nobody used. Says from when each connection has less. */
export function planRenewals(
  organisation: Organisation,
  random: Random,
  isTouched: (connection: Connection) => boolean,
): ReadonlyMap<Connection, number> {
  const free = organisation.connections.filter((one) => !isTouched(one));
  return new Map(
    draw(random, free, RENEWALS).map((connection) => [connection, 2 * DAY_S + random.below(SPAN_S - 3 * DAY_S)]),
  );
}

/** Tells approvals, renewals, absences that disable an account, and those who left. */
export function tellOffice(
  life: Life,
  leavers: readonly Person[],
  created: readonly { at: number; connection: Connection }[],
): void {
  const { organisation, random, teller, narrowed } = life;
  organisation.connections.forEach((connection, nth) =>
    teller.connection('connection.created', 5 + nth * 2, connection),
  );
  for (const { at, connection } of created) teller.connection('connection.created', at, connection);
  for (const [connection, at] of narrowed) teller.connection('connection.updated', at, connection, keptOf(connection));
  for (const person of organisation.people)
    for (const { from, to, disabled } of person.absences) {
      if (!disabled || from < 0) continue;
      teller.user('user.disabled', from, person);
      if (to < SPAN_S - HOUR_S) teller.user('user.enabled', to - HOUR_S, person);
    }
  for (const person of leavers) {
    teller.user('user.disabled', person.gone!, person);
    tellRetries(life, person, random.below(3));
  }
}

const keptOf = ({ approved, used }: Connection) =>
  approved.filter((operation) => !DANGEROUS.includes(operation) || used.includes(operation));

/** An agent asks for a person who has left, and is refused. */
function tellRetries({ organisation, teller }: Life, person: Person, times: number): void {
  const connection = person.habits.find(({ client }) => client.agent);
  if (!connection) return;
  const { client, app } = connection;
  for (let nth = 1; nth <= times; nth++) {
    const at = person.gone! + nth * (DAY_S / 2);
    if (at > SPAN_S - HOUR_S) return;
    teller.say(IDP, 'id-jag.denied', at, {
      iss: organisation.idp.issuer,
      sub: person.sub,
      client_id: clientAt(client, app),
      idp_client_id: client.id,
      aud: [app.issuer],
      agent: client.agent,
      error: 'access_denied',
      reason: 'account disabled',
    });
  }
}

/** Administrators of Rescind order rules that stop something, and make callers that are no administrators. */
export function planAdministration(life: Life, isCast: (person: Person) => boolean): Act[] {
  const { organisation, random, teller } = life;
  const acts: Act[] = [];
  const late = (person: Person, day: number): number => atLocal(day, person.zone, 22 * HOUR_S);
  const free = organisation.people.filter(
    (one) => !isCast(one) && one.absences.length === 0 && !one.gone && !one.trip && !one.moved,
  );
  for (const person of draw(random, free, ORDERS)) {
    const at = late(person, 2 + random.below(9));
    const connection = person.habits.find(({ app }) => app.lifetime >= HOUR_S && !app.summarises);
    if (!connection || !isPresent(person, at)) continue;
    const network = networkOfPerson(organisation, random, person, connection.client, at);
    const token = teller.grant({ at, user: person, connection, operations: ['read'] });
    teller.call(token, { at: at + 40, operation: 'read', network });
    acts.push(orderOf(at + 600, { user: { iss: organisation.idp.issuer, sub: person.sub } }, 'revoke', 'laptop lost'));
    for (const after of [660, 720, 900])
      teller.call(token, { at: at + after, operation: 'read', network, denied: 401 });
  }
  for (let nth = 0; nth < 3; nth++)
    acts.push({
      at: DAY_S + random.below(SPAN_S - 2 * DAY_S),
      does: 'create-caller',
      id: `reader-${nth}`,
      roles: { audit: {} },
    });
  return acts;
}

export const orderOf = (at: number, selector: object, effect: 'revoke' | 'block', reason: string): Act => ({
  at,
  does: 'order',
  body: { selector, effect, reason, confirm: true },
});
