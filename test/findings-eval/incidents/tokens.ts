import { DAY_S, HOUR_S, SPAN_S } from '../calendar.js';
import { clientAt, draw, SCANNER } from '../organisation.js';
import { callSome, LEARNT_DAYS, namesOf, type Scene } from './scene.js';

const isHourly = ({ app }: { readonly app: { readonly lifetime: number } }): boolean => app.lifetime >= HOUR_S;

export function twoNetworks(scene: Scene): void {
  const { random, teller } = scene;
  const cast = scene.cast(isHourly);
  const { person, connection } = cast;
  const at = scene.time(0.5);
  const token = teller.grant({ at, user: person, connection, operations: ['read'] });
  const own = scene.network(cast, at);
  const last = callSome(scene, token, own, { from: at + 5, count: 2 + random.below(4), within: 1_500 });
  const { networks } = scene.organisation;
  // A second family alone is nothing: many places have both.
  const foreign = own.prefix.includes(':') ? networks.freshV6() : networks.fresh(3);
  const size = 1 + random.skewed(20);
  // Sometimes while its owner goes on, sometimes afterwards.
  const first = random.chance(0.5) ? at + 60 : last + 30 + random.below(600);
  const end = callSome(scene, token, foreign, { from: first, count: size, within: 900 });
  scene.add({
    kind: 'token-from-two-networks',
    deed: `${person.sub}'s token at ${connection.app.name} used from ${foreign.prefix} too, ${size} times`,
    named: [[token.name], [person.sub], [foreign.prefix]],
    first,
    last: Math.max(end, last),
    size,
  });
}

export function anotherClient(scene: Scene): void {
  const { random, teller, organisation } = scene;
  const cast = scene.cast(isHourly);
  const { person, connection } = cast;
  const { app } = connection;
  const at = scene.time(0.5);
  // One that is at home there, so that its name alone is nothing new.
  const { client: other } = random.pick(
    organisation.connections.filter(
      (one) => one.app === app && one.client !== connection.client && one.client.id !== SCANNER,
    ),
  );
  const client_id = clientAt(other, app);
  const wish = { at, user: person, connection, operations: ['read'] as const };
  const byRefresh = random.chance(0.5);
  let first = at + 2;
  let token;
  if (byRefresh) {
    const own = teller.grant(wish);
    callSome(scene, own, scene.network(cast, at), { from: at + 5, count: 2, within: 300 });
    const refresh = teller.token({ ...wish, token: { kind: 'refresh', aud: [app.issuer] } }, own.idJag);
    first = at + 600 + random.below(6 * HOUR_S);
    token = teller.token({ ...wish, at: first, token: { client_id, parent: refresh.reference } }, own.idJag);
  } else token = teller.token({ ...wish, at: first, token: { client_id } }, teller.idJag(wish));
  const size = 1 + random.skewed(12);
  const last = callSome(scene, token, organisation.networks.fresh(2), { from: first + 3, count: size, within: 1_200 });
  scene.add({
    kind: 'token-of-another-client',
    deed: `${byRefresh ? 'a refresh token' : 'an ID-JAG'} of ${connection.client.id} for ${person.sub} redeemed by ${other.id} at ${app.name}`,
    named: [[token.name], [person.sub], [clientAt(connection.client, app), client_id]],
    first,
    last,
    size: size + 1,
    also: ['lineage-trouble'],
  });
}

export function replayed(scene: Scene): void {
  const { random, teller } = scene;
  const cast = scene.cast(isHourly);
  const { person, connection } = cast;
  const { app, client } = connection;
  const at = scene.time(0.5);
  const wish = { at, user: person, connection, operations: ['read'] as const };
  const idJag = teller.idJag(wish);
  const first = teller.token(wish, idJag);
  callSome(scene, first, scene.network(cast, at), { from: at + 5, count: 2, within: 200 });
  const accepted = random.chance(0.6);
  const size = 1 + random.skewed(6);
  let again = at;
  const named = [[idJag.jti], [person.sub], [first.name]];
  for (let nth = 0; nth < size; nth++) {
    again += 10 + random.below(200);
    if (accepted) {
      const token = teller.token({ ...wish, at: again }, idJag);
      callSome(scene, token, scene.network(cast, at), { from: again + 4, count: 2, within: 200 });
      named.push([token.name]);
    } else
      teller.say(app.name, 'token.denied', again, {
        iss: app.issuer,
        id_jag: client.agent ? { ...idJag, agent: client.agent } : idJag,
        client_id: clientAt(client, app),
        error: 'invalid_grant',
        reason: 'the assertion was used before',
      });
  }
  scene.add({
    kind: 'id-jag-replayed',
    deed: `an ID-JAG of ${person.sub} presented ${size + 1} times at ${app.name}, ${accepted ? 'and each time traded' : 'refused after the first'}`,
    named,
    first: at,
    last: again + 210,
    size,
    also: ['lineage-trouble'],
  });
}

export function longLived(scene: Scene): void {
  const { random, teller } = scene;
  const cast = scene.cast();
  const { person, connection } = cast;
  const at = scene.time(0.5);
  const days = Math.round(3 * 120 ** random.next());
  const exp = teller.start + at + 1 + days * DAY_S;
  const token = teller.grant({ at, user: person, connection, operations: ['read'], token: { exp } });
  const size = 1 + random.below(6);
  const last = callSome(scene, token, scene.network(cast, at), { from: at + 5, count: size, within: 800 });
  scene.add({
    kind: 'long-lived-token',
    deed: `a token of ${person.sub} at ${connection.app.name} that lives ${days} days`,
    named: [[token.name], [person.sub], ...namesOf(connection)],
    first: at,
    last,
    until: SPAN_S,
    size: 1,
  });
}

export function lineage(scene: Scene): void {
  const { random, teller } = scene;
  const cast = scene.cast(isHourly);
  const { person, connection } = cast;
  const { app, client } = connection;
  const at = scene.time(0.5, 12.5);
  const wish = { at, user: person, connection, operations: ['read'] as const };
  const what = random.pick(['token untold', 'id-jag untold', 'another subject'] as const);
  const other = scene.cast().person;
  const told = {
    'token untold': { ...wish, untold: 'token' as const },
    'id-jag untold': { ...wish, untold: 'id-jag' as const },
    'another subject': wish,
  }[what];
  const idJag = teller.idJag(told);
  // The application states another user than the ID-JAG names.
  const seen = what === 'another subject' ? { ...idJag, sub: other.sub } : idJag;
  const token = teller.token(told, seen);
  const size = 3 + random.skewed(25);
  const last = callSome(scene, token, scene.network(cast, at), { from: at + 5, count: size, within: 1_500 });
  scene.add({
    kind: 'lineage-trouble',
    deed: `${what}: ${size} calls at ${app.name} by ${client.id} for ${person.sub}`,
    named: [[token.name], [idJag.jti], [person.sub], [other.sub], [app.resource], [app.uri], [`"${app.name}"`]],
    first: at,
    last,
    until: SPAN_S,
    size,
    // A contradiction blocks the token by itself.
    also: what === 'another subject' ? ['use-after-rule', 'idle-rule'] : ['source-trouble'],
  });
}

export function secondHop(scene: Scene): void {
  const { random, teller, organisation } = scene;
  const hopsOf = (person: Parameters<Parameters<Scene['cast']>[0] & object>[1], client: unknown) =>
    organisation.connections.filter(
      (one) =>
        one.client === client &&
        !organisation.troubled.includes(one.app) &&
        !one.app.summarises &&
        !person.habits.some(({ app }) => app === one.app),
    );
  const cast = scene.cast(
    (connection, person) => Boolean(connection.client.agent) && hopsOf(person, connection.client).length > 0,
  );
  const { person, connection } = cast;
  const at = scene.time(LEARNT_DAYS);
  const parent = teller.grant({ at, user: person, connection, operations: ['read'] });
  callSome(scene, parent, connection.client.platform!, { from: at + 5, count: 2, within: 60 });
  const to = draw(random, hopsOf(person, connection.client), 1)[0]!;
  const first = at + 120 + random.below(400);
  const token = teller.grant({
    at: first,
    user: person,
    connection: to,
    operations: ['read'],
    idJag: { parent: parent.reference },
  });
  const size = 1 + random.skewed(10);
  const last = callSome(scene, token, to.client.platform!, { from: first + 4, count: size, within: 700 });
  scene.add({
    kind: 'second-hop',
    deed: `${to.client.id} took ${person.sub}'s token for ${connection.app.name} to ${to.app.name}, ${size} calls`,
    named: [[person.sub], [token.name], [parent.name], [token.idJag.jti]],
    first,
    last,
    size: size + 2,
  });
}
