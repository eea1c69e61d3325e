import type { SeedEvent } from '../../src/seed/index.js';
import type { EventDataOf, SourceEventName } from '../../src/contracts/index.js';
import { DAY_S, HOUR_S, isWeekend } from './calendar.js';
import { groupBy } from './group-by.js';
import type { Found } from './judge.js';
import type { Kind } from './kinds.js';
import { networkOf } from './networks.js';
import { SCANNER } from './organisation.js';
import type { ToldStory } from './story.js';

/**
 * Reads the incidents off the events, with full knowledge of what is normal in these stories. This proves the generator, not the service:
 * every incident shows in the events, and ordinary life has none.
 */
export function readNaively(story: ToldStory): Found[] {
  const reading = readStory(story);
  return Object.values(READERS).flatMap((read) => read(reading));
}

type Data<N extends SourceEventName> = EventDataOf[N];
interface Issued extends Omit<Data<'token.issued'>, never> {
  readonly name: string;
  readonly at: number;
}
interface Use {
  readonly at: number;
  readonly token: string;
  readonly issued: Issued | undefined;
  readonly sub: string;
  /** The client's name at the application, which names the connection. */
  readonly connection: string;
  readonly operation: string;
  readonly records: number;
  readonly allowed: boolean;
  readonly network: string;
  readonly party: string;
}
interface Reading {
  readonly story: ToldStory;
  readonly events: readonly SeedEvent[];
  readonly jags: ReadonlyMap<string, Data<'id-jag.issued'>>;
  readonly tokens: ReadonlyMap<string, Issued>;
  readonly uses: readonly Use[];
  /** Times at which each user was disabled, with the end. */
  readonly disabled: ReadonlyMap<string, readonly { readonly from: number; readonly to: number }[]>;
  of<N extends SourceEventName>(name: N): { readonly at: number; readonly party: string; readonly data: Data<N> }[];
}

const nameOf = (one: { jti?: string | undefined; sha256?: string | undefined }): string => one.jti ?? one.sha256 ?? '';
const found = (kind: Kind, first: number, last: number, ...names: string[]): Found => ({
  kind,
  first,
  last,
  says: names.join(' '),
  text: names.map((name) => `"${name}"`).join(' '),
});

function readStory(story: ToldStory): Reading {
  const once = new Map(story.events.map((event) => [`${event.party} ${event.id}`, event]));
  const events = [...once.values()].sort((one, other) => one.at - other.at);
  const of: Reading['of'] = (name) => events.filter((event) => event.name === name) as never;
  const jags = new Map(of('id-jag.issued').map(({ data }) => [data.jti, data]));
  const tokens = new Map(of('token.issued').map(({ at, data }) => [nameOf(data), { ...data, name: nameOf(data), at }]));
  const uses = events.flatMap((event): Use[] => {
    if (!event.name.startsWith('access.')) return [];
    const data = event.data as Data<'access.allowed'> & { outcome?: string; from?: number };
    const issued = tokens.get(nameOf(data.token));
    return [
      {
        at: data.from ?? event.at,
        token: nameOf(data.token),
        issued,
        sub: issued?.id_jag?.sub ?? '',
        connection: issued?.client_id ?? '',
        operation: data.operation,
        records: data.records ?? 0,
        allowed: event.name === 'access.allowed' || data.outcome === 'allowed',
        network: networkOf(data.client_address!),
        party: event.party,
      },
    ];
  });
  const enabled = of('user.enabled');
  const disabled = new Map<string, { from: number; to: number }[]>();
  for (const { at, data } of of('user.disabled')) {
    const to = enabled.find((one) => one.data.sub === data.sub && one.at > at)?.at ?? Infinity;
    disabled.set(data.sub, [...(disabled.get(data.sub) ?? []), { from: at, to }]);
  }
  return { story, events, jags, tokens, uses, disabled, of };
}

const isDangerous = (operation: string): boolean => ['delete', 'export', 'admin'].includes(operation);
const nameOfConnection = (data: Data<'connection.created'>): string => data.client_id;

const READERS: Readonly<Record<string, (reading: Reading) => Found[]>> = {
  useAfterRule({ story, uses, disabled, of }) {
    const revoked = new Map(of('token.revoked').map(({ at, data }) => [nameOf(data), at]));
    const ended = new Map(of('session.ended').map(({ at, data }) => [data.sid!, at]));
    const deleted = new Map(of('connection.deleted').map(({ at, data }) => [nameOfConnection(data), at]));
    const ordered = new Map(
      story.acts.flatMap((act) => {
        const user = act.does === 'order' && (act.body['selector'] as { user?: { sub: string } }).user;
        return user ? [[user.sub, act.at] as const] : [];
      }),
    );
    return uses
      .filter(
        ({ allowed, at, token, sub, connection, issued }) =>
          allowed &&
          (at > (revoked.get(token) ?? Infinity) ||
            at > (ended.get(issued?.id_jag?.sid ?? '') ?? Infinity) ||
            at > (deleted.get(connection) ?? Infinity) ||
            (at > (ordered.get(sub) ?? Infinity) && issued!.iat <= ordered.get(sub)!) ||
            (disabled.get(sub) ?? []).some(({ from, to }) => at > from && (at < to || issued!.iat <= from))),
      )
      .map(({ at, sub, token }) => found('use-after-rule', at, at, sub, token));
  },
  issuedWhileDisabled: ({ of, disabled }) =>
    of('id-jag.issued')
      .filter(({ at, data }) => (disabled.get(data.sub) ?? []).some(({ from, to }) => at > from && at < to))
      .map(({ at, data }) => found('issued-while-disabled', at, at, data.sub)),
  twoNetworks({ story, uses }) {
    const ordinary = placesOf(story);
    return [...groupBy(uses, ({ token }) => token).entries()]
      .filter(([, mine]) => {
        const networks = new Set(mine.map(({ network }) => network));
        return networks.size > 1 && [...networks].some((one) => !ordinary.has(one));
      })
      .map(([token, mine]) => found('token-from-two-networks', mine[0]!.at, mine.at(-1)!.at, token));
  },
  anotherClient: ({ tokens }) =>
    [...tokens.values()]
      .filter(
        ({ client_id, id_jag, parent }) =>
          client_id !== id_jag!.client_id ||
          (parent && (tokens.get(nameOf(parent))?.client_id ?? client_id) !== client_id),
      )
      .map(({ at, name }) => found('token-of-another-client', at, at, name)),
  bulk: ({ uses }) =>
    [...groupBy(uses, ({ token }) => token).entries()]
      .filter(
        ([, mine]) => !mine[0]!.sub.startsWith('svc.') && mine.reduce((sum, { records }) => sum + records, 0) > 20_000,
      )
      .map(([token, mine]) => found('bulk-export', mine[0]!.at, mine.at(-1)!.at, token)),
  scopes({ story, uses, of }) {
    const approved = new Map<string, Set<string>>();
    const grown: Found[] = [];
    const changes = [...of('connection.created'), ...of('connection.updated')].sort((one, other) => one.at - other.at);
    for (const { at, data } of changes) {
      const name = nameOfConnection(data);
      const before = approved.get(name);
      const scopes = data.scope.split(' ');
      if (before && scopes.some((scope) => !before.has(scope))) grown.push(found('scopes-grew', at, at, name));
      approved.set(name, new Set([...(before ?? []), ...scopes]));
    }
    const old = new Set(
      of('connection.created').flatMap(({ at, data }) => (at < story.start + HOUR_S ? [nameOfConnection(data)] : [])),
    );
    const firstUses = groupBy(
      uses.filter(({ allowed, operation, connection }) => allowed && isDangerous(operation) && old.has(connection)),
      ({ connection, operation }) => `${connection} ${operation}`,
    );
    for (const [first] of firstUses.values())
      if (first!.at > story.start + 3 * DAY_S)
        grown.push(found('scopes-grew', first!.at, first!.at, first!.connection));
    return grown;
  },
  silence({ story, uses, of }) {
    const created = of('connection.created');
    const byConnection = groupBy(uses, ({ connection }) => connection);
    return created.flatMap(({ at, data }) => {
      const name = nameOfConnection(data);
      const times = [at, ...(byConnection.get(name) ?? []).map((use) => use.at)];
      return times.flatMap((time, nth) =>
        nth > 0 && time - times[nth - 1]! > 5 * DAY_S && time < story.end
          ? [found('use-after-silence', time, time, name)]
          : [],
      );
    });
  },
  newAtSensitive({ story, uses, of }) {
    const late = new Set(
      of('connection.created').flatMap(({ at, data }) => (at > story.start + HOUR_S ? [nameOfConnection(data)] : [])),
    );
    return uses
      .filter(({ allowed, operation, connection }) => allowed && isDangerous(operation) && late.has(connection))
      .map(({ at, connection }) => found('new-at-sensitive-resource', at, at, connection));
  },
  refusals({ uses, of }) {
    const refused = [
      ...uses.flatMap(({ allowed, at, sub }) => (allowed ? [] : [{ at, sub }])),
      ...of('id-jag.denied').map(({ at, data }) => ({ at, sub: data.sub! })),
    ].filter(({ sub }) => sub !== `svc.${SCANNER}`);
    return [...groupBy(refused, ({ sub }) => sub).entries()].flatMap(([sub, mine]) => {
      const times = mine.map(({ at }) => at).sort((one, other) => one - other);
      const nth = times.findIndex((at, from) => (times[from + 7] ?? Infinity) - at < HOUR_S);
      return nth < 0 ? [] : [found('refusals', times[nth]!, times[nth + 7]!, sub)];
    });
  },
  secondHop({ of, uses, jags }) {
    const been = groupBy(uses, ({ sub, party }) => `${sub} ${party}`);
    const byIssuer = (issuer: string): string => issuer.split('.')[1]!;
    return of('id-jag.issued')
      .filter(({ data }) => data.parent && jags.has(data.jti))
      .filter(({ at, data }) => !((been.get(`${data.sub} ${byIssuer(data.aud[0]!)}`)?.[0]?.at ?? Infinity) < at))
      .map(({ at, data }) => found('second-hop', at, at, data.sub));
  },
  replay({ tokens, of }) {
    const traded = groupBy(
      [...tokens.values()].filter(({ kind, parent }) => kind === 'access' && !parent),
      ({ id_jag }) => id_jag!.jti!,
    );
    return [
      ...[...traded.entries()]
        .filter(([, mine]) => mine.length > 1)
        .map(([jti, mine]) => found('id-jag-replayed', mine[0]!.at, mine.at(-1)!.at, jti)),
      ...of('token.denied')
        .filter(({ data }) => traded.has(data.id_jag.jti!))
        .map(({ at, data }) => found('id-jag-replayed', at, at, data.id_jag.jti!)),
    ];
  },
  sources: (reading) => reading.story.organisation.apps.flatMap(({ name, uri }) => troublesOf(reading, name, uri)),
  lineage: ({ uses, tokens, jags }) => [
    ...uses.filter(({ issued }) => !issued).map(({ at, token }) => found('lineage-trouble', at, at, token)),
    ...[...tokens.values()]
      .filter(({ id_jag }) => jags.get(id_jag!.jti!)?.sub !== id_jag!.sub)
      .map(({ at, name }) => found('lineage-trouble', at, at, name)),
  ],
  longLived: ({ tokens }) =>
    [...tokens.values()]
      .filter(({ kind, exp, iat }) => kind === 'access' && exp! - iat > DAY_S)
      .map(({ at, name }) => found('long-lived-token', at, at, name)),
  administered({ story, jags }) {
    const known = new Set([...jags.values()].map(({ sub }) => sub));
    return story.acts.flatMap((act): Found[] => {
      if (act.does !== 'order') return 'admin' in act.roles ? [found('administration', act.at, act.at, act.id)] : [];
      const { all, user, client } = act.body['selector'] as {
        all?: true;
        user?: { sub: string };
        client?: { client_id: string };
      };
      if (all) return [found('administration', act.at, act.at, 'all')];
      if (user && known.has(user.sub)) return [];
      return [found('idle-rule', act.at, act.at, user?.sub ?? client!.client_id)];
    });
  },
};

/** Networks in which people and machines of the organisation are. */
function placesOf({ organisation }: ToldStory): ReadonlySet<string> {
  const { people, agents, quietAgents, services, scanner, networks } = organisation;
  const machines = [...agents, ...quietAgents, ...services, scanner].flatMap(({ platform }) => platform ?? []);
  const places = people.flatMap(({ office, home, trip }) => [office, home, ...(trip ? [trip.network] : [])]);
  const all = [...machines, ...places, ...networks.mobiles];
  return new Set(all.flatMap(({ prefix, beside }) => [prefix, ...(beside ? [beside.prefix] : [])]));
}

/** Gaps in the numbers, hours of a working day without a word, and hours of which most comes late. */
function troublesOf({ story, events }: Reading, party: string, uri: string): Found[] {
  const mine = events.filter((event) => event.party === party);
  const numbers = mine
    .flatMap(({ at, data }) =>
      (data as { sequence?: number }).sequence === undefined
        ? []
        : [{ at, n: (data as { sequence: number }).sequence }],
    )
    .sort((one, other) => one.n - other.n);
  const gaps = numbers.flatMap(({ at, n }, nth) =>
    nth > 0 && n > numbers[nth - 1]!.n + 1 ? [found('source-trouble', at, at, uri)] : [],
  );
  const silences = mine.flatMap(({ at }, nth) => {
    const before = mine[nth - 1]?.at ?? story.start;
    return workHours(story, before, at) >= 6 ? [found('source-trouble', before, at, uri)] : [];
  });
  const late = [...groupBy(mine, ({ at }) => String(Math.floor(at / HOUR_S))).values()]
    .filter(
      (hour) =>
        hour.length >= 4 && hour.filter(({ at, arrives }) => arrives - at > 1.5 * HOUR_S).length > hour.length / 2,
    )
    .map((hour) => found('source-trouble', hour[0]!.at, hour.at(-1)!.at, uri));
  return [...gaps, ...silences, ...late];
}

/** Whole hours of working days, eight to eighteen UTC, between two times. */
function workHours({ start, holiday }: ToldStory, from: number, to: number): number {
  let hours = 0;
  for (let at = from; at + HOUR_S <= to; at += HOUR_S) {
    const noon = at - start + DAY_S / 2;
    const day = Math.floor(noon / DAY_S);
    const hour = Math.floor((noon % DAY_S) / HOUR_S);
    if (!isWeekend(day) && day !== holiday && hour >= 8 && hour < 18) hours += 1;
  }
  return hours;
}
