import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { buildEvent } from '../../../src/emit/index.js';
import { emit, namesOf, startTwoTenants, type Answered, type Operation } from './two-tenants.js';
import { neededFor, pathsFor } from './ways.js';

/** Time limit for some thousand requests on a busy machine. */
const MANY_QUESTIONS_MS = 240_000;
/** A caller has so many questions at a time. */
const AT_A_TIME = 16;

const IN_PAYLOAD = 'planted-in-payload';
const ADDRESS = namesOf('acme').address;
const OTHER_ADDRESS = '198.18.77.9';
const OF_A_KEY = '198.51.100.7';
/** The first bytes of addresses, which their networks have too. */
const NETWORKS = [ADDRESS, OTHER_ADDRESS, OF_A_KEY].map((address) => address.replace(/\d+$/, ''));
const BASE64 = [IN_PAYLOAD, ADDRESS].flatMap((text) =>
  ['', '-', '--'].map((before) =>
    Buffer.from(before + text)
      .toString('base64')
      .slice(before.length === 0 ? 0 : 4)
      .replace(/.{4}$/, ''),
  ),
);
const MARKERS = [IN_PAYLOAD, ...NETWORKS, ...BASE64];

const BOUND = /^the caller needs the role audit without `payloads: false` for /;

let world: Awaited<ReturnType<typeof startTwoTenants>>;
const keys: Record<string, string> = {};
let entries = 0;
/** Entity ids of the addresses. */
let addresses: readonly string[] = [];

beforeAll(async () => {
  world = await startTwoTenants({ TRUSTED_PROXY: 'true', FINDINGS_LEARN_DAYS: '0' });
  const { admin, emit: emitter, audit } = world.planted.acme.keys;
  const roles = {
    investigator: { audit: {} },
    viewer: { audit: { payloads: false } },
    responder: { audit: { payloads: false }, revoke: { tenant: true } },
  };
  for (const [id, of] of Object.entries(roles)) {
    const { status, body } = await world.ask('POST', '/v1/callers', admin, JSON.stringify({ id, roles: of }));
    expect([status, body.roles]).toEqual([201, of]);
    keys[id] = body.secret;
  }
  const emitted = await emit(world.url, emitter, [use(OTHER_ADDRESS, 5), refused()]);
  expect(emitted.map(({ state }) => state)).toEqual(['sequenced', undefined]);
  const response = await fetch(`${world.url}/v1/findings`, {
    headers: { authorization: `Bearer ${audit}`, 'x-forwarded-for': OF_A_KEY },
  });
  expect(response.status).toBe(200);
  for (;;) {
    const { items } = (await world.ask('GET', '/v1/findings?limit=100', audit)).body;
    const found = JSON.stringify(items);
    if (NETWORKS.every((network) => found.includes(network))) break;
    await delay(50);
  }
  const { items } = (await world.ask('GET', `/v1/search?q=${OTHER_ADDRESS}`, audit)).body;
  addresses = items.map(({ id }: { id: string }) => id);
  expect(addresses).toHaveLength(1);
  while ((await world.ask('GET', `/v1/entries/${entries}`, audit)).status === 200) entries += 1;
  while ((await world.ask('GET', `/v1/entries/${entries - 1}`, audit)).body.state !== 'published') await delay(50);
});
afterAll(() => world.stop());

function use(client_address: string, sequence: number): object {
  const { api, as, jti, route, scope } = namesOf('acme');
  const data = {
    token: { iss: as, jti },
    operation: 'read' as const,
    route,
    scope,
    status: 200,
    client_address,
    sequence,
    path: `/${IN_PAYLOAD}`,
  };
  const event = buildEvent('access.allowed', { source: `${api}/events`, data }) as unknown as { data: typeof data };
  // Members that nobody reads stay in the payload.
  return { ...event, data: { ...event.data, note: IN_PAYLOAD, token: { ...data.token, note: IN_PAYLOAD } } };
}

const refused = (): object => ({ ...use(ADDRESS, 6), id: 'refused-again', specversion: '0.3' });

const markersOf = ({ text }: Answered): readonly string[] => MARKERS.filter((marker) => text.includes(marker));
const gets = (): readonly Operation[] => world.operations.filter(({ method }) => method === 'GET');

/** Lists questions to a path: each thing that it may name, and each filter with everything that could have a marker. */
async function waysOf({ path, parameters }: Operation): Promise<readonly string[]> {
  const { acme } = world.planted;
  const findings = (await world.ask('GET', '/v1/findings?limit=100', acme.keys.audit)).body.items;
  const refusals = (await world.ask('GET', '/v1/quarantine', acme.keys.audit)).body.items;
  const indexes = Array.from({ length: entries }, (_, nth) => String(nth));
  const named = {
    ...acme,
    entities: [...acme.entities, ...addresses],
    findings: findings.map(({ id }: { id: string }) => id),
  };
  const paths = path.includes('/entries/')
    ? indexes.map((index) => `${path.replace(/\{[^}]+\}/, index)}?evidence=true`)
    : path === '/v1/quarantine/{id}'
      ? refusals.map(({ id }: { id: string }) => path.replace('{id}', id))
      : pathsFor(named, path);
  const values = [...addresses, ADDRESS, ADDRESS.slice(0, -3), IN_PAYLOAD, 'csv'];
  const filters = path.includes('{')
    ? []
    : parameters
        .filter((parameter) => parameter.in === 'query')
        .flatMap(({ name }) => values.map((value) => `${path}?${name}=${encodeURIComponent(value)}`));
  const needed = neededFor(acme, path);
  return [
    ...paths.map((one: string) => `${one}${one.includes('?') ? '&' : '?'}${needed}`),
    ...filters,
    ...filters.map((one) => one.replace('?', `?${needed}`)).filter(() => needed !== ''),
  ];
}

async function askAll(paths: readonly string[], key: string): Promise<readonly Answered[]> {
  const answers: Answered[] = [];
  for (let at = 0; at < paths.length; at += AT_A_TIME)
    answers.push(...(await Promise.all(paths.slice(at, at + AT_A_TIME).map((path) => world.ask('GET', path, key)))));
  return answers;
}

describe('a caller with `audit: {payloads: false}`', () => {
  it(
    'gets no payload, address or network from any question, and an investigator does',
    async () => {
      const shown: string[] = [];
      let asked = 0;
      for (const operation of gets()) {
        const paths = await waysOf(operation);
        asked += paths.length;
        for (const [nth, answer] of (await askAll(paths, keys['viewer']!)).entries()) {
          expect({ asked: paths[nth], failed: answer.status >= 500, markers: markersOf(answer) }).toEqual({
            asked: paths[nth],
            failed: false,
            markers: [],
          });
        }
        const whole = await askAll(paths, keys['investigator']!);
        if (whole.some((answer) => markersOf(answer).length > 0)) shown.push(operation.path);
      }
      expect(asked).toBeGreaterThan(500);
      expect(shown.toSorted()).toEqual([
        '/v1/access',
        '/v1/entities/{id}',
        '/v1/entries/{index}',
        '/v1/evidence',
        '/v1/export/ocsf',
        '/v1/findings',
        '/v1/findings/{id}',
        '/v1/quarantine',
        '/v1/quarantine/{id}',
        '/v1/search',
      ]);
    },
    MANY_QUESTIONS_MS,
  );

  it.each(['viewer', 'responder'])(
    'is told as %s that it needs the right for what is nothing but that',
    async (role) => {
      const { api, idp, user } = namesOf('acme');
      const { rule } = world.planted.acme;
      for (const [path, what] of [
        [`/v1/access?client_address=${ADDRESS}`, 'the parameter `client_address`'],
        [`/v1/access/counts?client_address=never-seen`, 'the parameter `client_address`'],
        [`/v1/entities/${addresses[0]}`, 'addresses of clients'],
        [`/v1/evidence`, 'exports'],
        [`/v1/export/ocsf`, 'exports'],
        [`/v1/reports/access-review?user_iss=${idp}&user_sub=${user}`, 'exports'],
        [`/v1/reports/access-review?resource=${api}&format=csv`, 'exports'],
        [`/v1/reports/incident?rule=${rule}&format=csv`, 'exports'],
      ] as const) {
        const { status, type, body } = await world.ask('GET', path, keys[role]!);
        expect([path, status, type, body?.code]).toEqual([path, 403, 'application/problem+json', 'forbidden']);
        expect(body.detail).toMatch(BOUND);
        expect(body.detail.replace(BOUND, '')).toBe(what);
        const whole = await world.ask('GET', path, keys['investigator']!);
        expect([path, whole.status]).toEqual([path, path.includes('never-seen') ? 404 : 200]);
      }
      for (const [path, question, what] of [
        ['', { by: ['address'] }, '`address`'],
        ['', { by: ['user', 'address_prefix'] }, '`address_prefix`'],
        ['', { measures: ['calls', 'addresses'] }, '`addresses`'],
        ['', { filter: { address: { missing: true } } }, '`address`'],
        ['/rows', { filter: { address_prefix: { prefix: '1' } } }, '`address_prefix`'],
        ['', { format: 'csv' }, 'exports'],
        ['/rows', { format: 'csv' }, 'exports'],
        ['/rows', { format: 'jsonl' }, 'exports'],
      ] as const) {
        const { status, body } = await world.ask('POST', `/v1/explore${path}`, keys[role]!, JSON.stringify(question));
        expect([question, status, body?.code]).toEqual([question, 403, 'forbidden']);
        expect(body.detail.replace(BOUND, '')).toBe(what);
        const whole = await world.ask('POST', `/v1/explore${path}`, keys['investigator']!, JSON.stringify(question));
        expect([question, whole.status]).toEqual([question, 200]);
      }
      expect((await world.ask('GET', `/v1/reports/incident?rule=${rule}`, keys[role]!)).status).toBe(200);
    },
  );

  it('gets everything else of an answer', async () => {
    const both = async (path: string, body?: object) => {
      const ask = (role: string) =>
        world.ask(body === undefined ? 'GET' : 'POST', path, keys[role]!, body && JSON.stringify(body));
      const [bound, whole] = await Promise.all([ask('viewer'), ask('investigator')]);
      expect([path, bound.status, whole.status]).toEqual([path, 200, 200]);
      expect(whole.text).toMatch(new RegExp(MARKERS.map((marker) => marker.replaceAll(/[.+]/g, '\\$&')).join('|')));
      return [bound.body, whole.body] as const;
    };
    const blanked = (items: any[], ...names: string[]) =>
      items.map((item) => ({ ...item, ...Object.fromEntries(names.map((name) => [name, null])) }));

    const [entry, wholeEntry] = await both(`/v1/entries/${(await lastUse()).index}`);
    expect(entry).toEqual({ ...wholeEntry, payload: null });
    const [uses, wholeUses] = await both('/v1/access');
    expect(uses.items).toEqual(blanked(wholeUses.items, 'client_address'));
    const [rows, wholeRows] = await both('/v1/explore/rows', {});
    expect(rows.items).toEqual(blanked(wholeRows.items, 'client_address'));
    const [records, wholeRecords] = await both('/v1/quarantine');
    expect(records.items).toEqual(blanked(wholeRecords.items, 'headers', 'text'));
    const [findings, wholeFindings] = await both('/v1/findings');
    expect(findings.items.map(({ id }: any) => id)).toEqual(wholeFindings.items.map(({ id }: any) => id));
    expect(findings.items).toEqual(
      wholeFindings.items.map((finding: any) => ({ ...finding, says: expect.any(String), details: expect.anything() })),
    );
    const named = (kind: string, items: any[]) => items.find((one) => one.kind === kind && 'key' in one.details);
    expect(named('administration', findings.items)).toMatchObject({
      says: expect.stringMatching(/^Key \S+ of audit-of-acme was used from a network, where no caller was before\.$/),
      details: { how: 'key', caller: 'audit-of-acme', network: null },
    });
    expect(findings.items.find((one: any) => one.kind === 'token-from-two-networks')).toMatchObject({
      says: expect.stringContaining('was used from a second network beside its own (1 uses from there)'),
      details: { there: null, here: null },
    });
  });

  it('hears of findings without networks', async () => {
    const heard = async (role: string): Promise<string> => {
      const left = new AbortController();
      const response = await fetch(`${world.url}/v1/stream`, {
        headers: { authorization: `Bearer ${keys[role]!}`, 'last-event-id': '0.0' },
        signal: left.signal,
      });
      let text = '';
      for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
        text += chunk;
        if (text.includes('token-from-two-networks') && text.includes('"how":"key"') && text.endsWith('\n\n')) break;
      }
      left.abort();
      return text;
    };
    const [bound, whole] = [await heard('responder'), await heard('investigator')];
    expect(NETWORKS.map((network) => [bound.includes(network), whole.includes(network)])).toEqual(
      NETWORKS.map(() => [false, true]),
    );
  });
});

const lastUse = async (): Promise<{ readonly index: string }> =>
  (await world.ask('GET', '/v1/access?limit=1', world.planted.acme.keys.audit)).body.items[0];
