import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ruleKey } from '../../../src/rules/index.js';
import { ACME, keyOf, say, startQueryApi, T, tokenId } from './history.js';
import { CRM_AS, IDP, STORY, WIKI, WIKI_AS } from './story.js';

let api: Awaited<ReturnType<typeof startQueryApi>>;
const HOP = {
  iss: IDP,
  jti: 'j-hop',
  sub: 'alice',
  tenant: 'acme',
  client_id: 'assistant-at-wiki',
  iat: T + 230,
  exp: T + 530,
};
const issued = {
  kind: 'access' as const,
  iss: WIKI_AS,
  client_id: 'assistant-at-wiki',
  aud: [WIKI],
  scope: 'pages.read',
};

beforeAll(async () => {
  api = await startQueryApi(STORY);
  await api.say([
    /* 15, t1 is traded for an ID-JAG */ say('idp', 'id-jag.issued', T + 230, {
      ...HOP,
      idp_client_id: 'assistant',
      aud: [WIKI_AS],
      resource: [WIKI],
      scope: 'pages.read',
      parent: { iss: CRM_AS, jti: 't1' },
    }),
    /* 16 */ say('wiki', 'token.issued', T + 240, { ...issued, jti: 't-hop', iat: T + 240, exp: T + 540, id_jag: HOP }),
  ]);
  await api.say([
    /* 17 */ say('wiki', 'access.allowed', T + 250, {
      token: { iss: WIKI_AS, jti: 't-hop' },
      operation: 'read',
      status: 200,
    }),
    /* 18 */ say('wiki', 'access.denied', T + 255, {
      token: { iss: WIKI_AS, jti: 't-hop' },
      operation: 'write',
      status: 403,
    }),
    /* 19, a circle */ say('wiki', 'token.issued', T + 260, {
      ...issued,
      jti: 'round',
      iat: T + 260,
      exp: T + 560,
      parent: { iss: WIKI_AS, jti: 'trip' },
    }),
    /* 20 */ say('wiki', 'token.issued', T + 260, {
      ...issued,
      jti: 'trip',
      iat: T + 260,
      exp: T + 560,
      parent: { iss: WIKI_AS, jti: 'round' },
    }),
  ]);
});
afterAll(() => api.stop());

const idOf = (iss: string, jti: string): string => tokenId(ruleKey(keyOf(ACME), 'token', [iss, jti]));
const exchanged = async (iss: string, jti: string, query = ''): Promise<any> =>
  (await api.get(`/v1/tokens/${idOf(iss, jti)}${query}`)).body.exchanged;
const shown = ({ items }: any): object[] =>
  items.map(({ kind, id, came_from, accesses: { count, denied } }: any) => ({ kind, id, came_from, count, denied }));

describe('what came from a token', () => {
  it('is shown with where it came from and how it was used, at every moment', async () => {
    const [t1, t4, hop] = [idOf(CRM_AS, 't1'), idOf(CRM_AS, 't4'), idOf(WIKI_AS, 't-hop')];
    const idJag = tokenId(ruleKey(keyOf(ACME), 'id_jag', [IDP, 'j-hop']));
    const direct = { kind: 'token', id: t4, came_from: t1, count: 0, denied: 0 };
    const traded = { kind: 'id_jag', id: idJag, came_from: t1, count: 0, denied: 0 };
    const second = { kind: 'token', id: hop, came_from: idJag, count: 2, denied: 1 };
    expect(shown(await exchanged(CRM_AS, 't1'))).toEqual([direct, traded, second]);
    expect(shown(await exchanged(CRM_AS, 't1', '?as_of=17'))).toEqual([
      direct,
      traded,
      { ...second, count: 0, denied: 0 },
    ]);
    expect(shown(await exchanged(CRM_AS, 't1', '?as_of=16'))).toEqual([direct, traded]);
    expect(shown(await exchanged(CRM_AS, 't1', '?as_of=14'))).toEqual([]);
    expect(shown(await exchanged(CRM_AS, 't4'))).toEqual([]);
  });

  it('names the rules that stop it', async () => {
    const stops = async (): Promise<string[][]> =>
      (await exchanged(CRM_AS, 't1')).items.map((item: any) => item.stopped_by.map(({ rule }: any) => rule));
    const { body } = await api.get(`/v1/tokens/${idOf(WIKI_AS, 't-hop')}`);
    const own = body.stopped_by.map(({ rule }: any) => rule);
    expect((await stops())[2]).toEqual(own);
    expect((await stops()).flat()).not.toEqual([]);
    expect((await stops())[0]).toEqual(
      (await api.get(`/v1/tokens/${idOf(CRM_AS, 't4')}`)).body.stopped_by.map(({ rule }: any) => rule),
    );
  });

  it('ends where tokens name one another in a circle', async () => {
    const round = await exchanged(WIKI_AS, 'round');
    expect(shown(round)).toEqual([
      { kind: 'token', id: idOf(WIKI_AS, 'trip'), came_from: idOf(WIKI_AS, 'round'), count: 0, denied: 0 },
    ]);
  });

  it('is of the tenant that asks', async () => {
    const { status, body } = await api.get(`/v1/tokens?iss=${CRM_AS}&jti=t1`, 'globex-audit');
    expect([status, body.exchanged]).toEqual([200, { items: [] }]);
  });
});
