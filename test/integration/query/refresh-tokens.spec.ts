import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { say, sha256, startQueryApi, T } from './history.js';
import { AGENT, CRM_AS, IDP, STORY } from './story.js';

/* A refresh token is for its authorization server alone: it is a token, and no access to any resource. */
const ALICE = { iss: IDP, tenant: 'acme', sub: 'alice' };
const OF_ALICE = `user_iss=${IDP}&user_tenant=acme&user_sub=alice`;
const DIGEST = sha256('refresh-token-of-alice');

let api: Awaited<ReturnType<typeof startQueryApi>>;
let before: Record<string, any>;
let since: string;

const QUESTIONS = {
  graph: '/v1/graph',
  'graph with users': '/v1/graph?fold=none',
  connections: '/v1/connections',
  grants: '/v1/grants',
  'access review': `/v1/reports/access-review?${OF_ALICE}`,
} as const;
const read = async (path: string): Promise<any> => {
  const { status, body } = await api.get(path);
  expect([status, status === 200 ? undefined : body]).toEqual([200, undefined]);
  return body;
};
const readAll = async () =>
  Object.fromEntries(
    await Promise.all(Object.entries(QUESTIONS).map(async ([name, path]) => [name, await read(path)])),
  );
const blast = () => read(`/v1/blast-radius?${OF_ALICE}&since=${T}`);

beforeAll(async () => {
  api = await startQueryApi(STORY);
  before = { ...(await readAll()), blast: await blast() };
  since = before['graph'].as_of.index;
  await api.say([
    say('crm', 'token.issued', T + 300, {
      kind: 'refresh',
      iss: CRM_AS,
      sha256: DIGEST,
      sub: 'crm-alice',
      client_id: 'assistant-at-crm',
      aud: [CRM_AS],
      scope: 'contacts.read offline',
      iat: T + 300,
      id_jag: { ...ALICE, jti: 'j1', agent: AGENT },
    }),
  ]);
});
afterAll(() => api.stop());

const withoutMoment = (answer: object) => ({ ...answer, as_of: undefined });

describe('one refresh token', () => {
  it.each(Object.keys(QUESTIONS))('adds nothing to: %s', async (name) => {
    expect(withoutMoment((await readAll())[name])).toEqual(withoutMoment(before[name]));
  });

  it('is no change of a client and a resource, nor of a grant', async () => {
    expect((await read(`/v1/changes?since=${since}`)).items).toEqual([]);
  });

  it('is reached as a token, and reaches no resource', async () => {
    const answer = await blast();
    expect(answer.tokens.newest.map(({ kind }: any) => kind)).toContain('refresh');
    expect([answer.reachable.resources, answer.grants]).toEqual([
      { ...before['blast'].reachable.resources },
      before['blast'].grants,
    ]);
    expect(answer.reachable.users.count).toBe(before['blast'].reachable.users.count);
  });

  it('is found by its digest, with its lineage', async () => {
    expect(await read(`/v1/tokens?sha256=${DIGEST}`)).toMatchObject({
      facts: { kind: 'refresh', aud: [CRM_AS] },
      user: { sub: 'alice' },
      lineage: { id_jags: [{ facts: { jti: 'j1' } }] },
    });
  });
});
