import { DAY_S, HOUR_S } from '../calendar.js';
import { IDP } from '../../../src/seed/index.js';
import { clientAt, DANGEROUS, draw, OPERATIONS, scopeText } from '../organisation.js';
import { callSome, LEARNT_DAYS, namesOf, type Scene } from './scene.js';

export function bulkExport(scene: Scene): void {
  const { random, teller } = scene;
  const cast = scene.cast((connection) => connection.used.includes('export') && connection.app.lifetime >= HOUR_S);
  const { person, connection } = cast;
  const at = scene.time(LEARNT_DAYS);
  const paging = random.chance(0.3);
  const calls = paging ? 80 + random.below(120) : 1 + random.skewed(50);
  const records = Math.round(30_000 * 30 ** random.next());
  const token = teller.grant({ at, user: person, connection, operations: paging ? ['read'] : ['read', 'export'] });
  const network = scene.network(cast, at);
  const step = Math.floor((600 + random.below(2_500)) / calls);
  for (let nth = 0; nth < calls; nth++)
    teller.call(token, {
      at: at + 10 + nth * step,
      operation: paging ? 'read' : 'export',
      network,
      records: Math.ceil(records / calls),
    });
  scene.add({
    kind: 'bulk-export',
    deed: `${person.sub} ${paging ? 'read' : 'exported'} ${records} records in ${calls} calls at ${connection.app.name} with ${connection.client.id}`,
    named: [[person.sub], [token.name], ...namesOf(connection)],
    first: at,
    last: at + 10 + calls * step,
    size: calls,
  });
}

export function scopesGrew(scene: Scene): void {
  const { random, teller, organisation } = scene;
  const byUse = random.chance(0.4);
  const connection = scene.take(({ approved, used }) =>
    byUse
      ? DANGEROUS.some((one) => approved.includes(one) && !used.includes(one))
      : DANGEROUS.some((one) => !approved.includes(one)),
  );
  const { approved, used, client, app } = connection;
  const at = scene.time(LEARNT_DAYS, 12.5);
  const more = draw(
    random,
    DANGEROUS.filter((one) => (byUse ? approved.includes(one) && !used.includes(one) : !approved.includes(one))),
    byUse ? 1 : 1 + random.below(3),
  );
  const now = OPERATIONS.filter((one) => approved.includes(one) || more.includes(one));
  if (!byUse) teller.connection('connection.updated', at, connection, now);
  let last = at;
  let size = 1;
  const named = namesOf(connection);
  const user = organisation.people.find((one) => one.habits.includes(connection) && !scene.isCast(one));
  if (user && (byUse || random.chance(0.5))) {
    const cast = { person: user, connection };
    const from = byUse ? at : at + HOUR_S + random.below(DAY_S);
    const token = teller.grant({ at: from, user, connection, operations: now });
    size = 1 + random.below(8);
    last = callSome(scene, token, scene.network(cast, from), {
      from: from + 5,
      count: size,
      operation: more[0]!,
      within: 800,
    });
    named.push([user.sub], [token.name]);
  }
  scene.add({
    kind: 'scopes-grew',
    deed: `${client.id} at ${app.name} ${byUse ? 'first used' : 'was approved for'} ${more.join(', ')}`,
    named,
    first: at,
    last,
    size,
    also: ['new-at-sensitive-resource'],
  });
}

export function afterSilence(scene: Scene): void {
  const { random, teller, organisation } = scene;
  const what = random.pick(['connection used early', 'connection never used', 'agent'] as const);
  const client =
    what === 'agent'
      ? organisation.quietAgents[random.below(organisation.quietAgents.length / 2)]!
      : random.pick(random.chance(0.5) ? organisation.clients : organisation.agents);
  const connection = scene.fresh(client, ['read', 'write']);
  teller.connection('connection.created', 400 + random.below(600), connection);
  const { person } = scene.cast();
  const cast = { person, connection };
  if (what !== 'connection never used') {
    const early = scene.time(0.1, 0.9);
    const used = teller.grant({ at: early, user: person, connection, operations: ['read'] });
    callSome(scene, used, scene.network(cast, early), { from: early + 5, count: 3, within: 600 });
  }
  const at = scene.time(10);
  const token = teller.grant({ at, user: person, connection, operations: ['read', 'write'] });
  const size = 1 + random.skewed(15);
  const last = callSome(scene, token, scene.network(cast, at), { from: at + 5, count: size, within: 800 });
  scene.add({
    kind: 'use-after-silence',
    deed: `${client.id} at ${connection.app.name} used after ${Math.floor(at / DAY_S) - 1} silent days (${what})`,
    named: [...namesOf(connection), [person.sub], [token.name], ...(what === 'agent' ? [[client.id]] : [])],
    first: at,
    last,
    size,
  });
}

export function newAtSensitive(scene: Scene): void {
  const { random, teller, organisation } = scene;
  const half = organisation.quietAgents.length / 2;
  const isNewAgent = random.chance(0.3);
  const client = isNewAgent
    ? organisation.quietAgents[half + random.below(half)]!
    : random.pick(random.chance(0.5) ? organisation.clients : organisation.agents);
  const operation = random.pick(DANGEROUS);
  const connection = scene.fresh(client, ['read', operation]);
  const first = scene.time(LEARNT_DAYS, 12.8);
  teller.connection('connection.created', first, connection);
  const at = first + 600 + random.below(10 * HOUR_S);
  const { person } = scene.cast();
  const token = teller.grant({ at, user: person, connection, operations: ['read', operation] });
  const size = 1 + random.below(10);
  const network = scene.network({ person, connection }, at);
  const last = callSome(scene, token, network, { from: at + 5, count: size, operation, within: 800 });
  scene.add({
    kind: 'new-at-sensitive-resource',
    deed: `${client.id}, new at ${connection.app.name}, did ${operation} ${size} times for ${person.sub}`,
    named: [...namesOf(connection), [person.sub], [token.name]],
    first,
    last,
    size,
  });
}

export function refusals(scene: Scene): void {
  const { random, teller, organisation } = scene;
  const across = random.chance(0.4);
  const cast = scene.cast(({ app, approved }) => app.lifetime >= HOUR_S && approved.length < OPERATIONS.length);
  const { person, connection } = cast;
  const { client } = connection;
  const at = scene.time(1);
  const names = [[person.sub]];
  let size: number;
  let last = at;
  if (across) {
    size = 8 + random.below(14);
    for (const app of draw(random, organisation.apps, size)) {
      last += 5 + random.below(50);
      teller.say(IDP, 'id-jag.denied', last, {
        iss: organisation.idp.issuer,
        sub: person.sub,
        client_id: clientAt(client, app),
        idp_client_id: client.id,
        aud: [app.issuer],
        resource: [app.resource],
        scope: scopeText(app, ['read', 'admin']),
        ...(client.agent ? { agent: client.agent } : {}),
        error: 'access_denied',
        reason: 'not approved',
      });
    }
  } else {
    size = 12 + random.skewed(70);
    const token = teller.grant({ at, user: person, connection, operations: connection.used });
    const network = scene.network(cast, at);
    const refused = OPERATIONS.filter((one) => !connection.approved.includes(one));
    const step = Math.max(1, Math.floor((120 + random.below(1_300)) / size));
    for (let nth = 0; nth < size; nth++) {
      last = at + 5 + nth * step;
      teller.call(token, { at: last, operation: random.pick(refused), network, denied: 403 });
    }
    names.push([token.name]);
  }
  scene.add({
    kind: 'refusals',
    deed: `${person.sub} with ${client.id} refused ${size} times within ${Math.ceil((last - at) / 60)} minutes ${across ? 'at as many applications' : `at ${connection.app.name}`}`,
    named: [
      ...names,
      [`"${client.id}"`],
      ...(client.agent ? [[client.agent.id]] : []),
      [clientAt(client, connection.app)],
    ],
    first: at,
    last,
    size,
  });
}
