import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ACME, say, startQueryApi, T } from './history.js';
import { CRM, CRM_AS, IDP, STORY, WIKI } from './story.js';

/** The IdP of another company, whose Carol comes to the CRM by the client that the first IdP's assistant is there. */
const PARTNER = 'https://login.partner.example';

let api: Awaited<ReturnType<typeof startQueryApi>>;
beforeAll(async () => {
  const carols = {
    iss: PARTNER,
    sub: 'carol',
    aud: [CRM_AS],
    resource: [CRM],
    scope: 'contacts.read',
    iat: T + 230,
    exp: T + 530,
  };
  api = await startQueryApi([
    ...STORY,
    [
      /* 15 */ say('idp', 'id-jag.issued', T + 230, {
        ...carols,
        jti: 'p1',
        client_id: 'assistant-at-crm',
        idp_client_id: 'helper',
      }),
    ],
    [
      /* 16 */ say('idp', 'id-jag.issued', T + 230, {
        ...carols,
        jti: 'p2',
        client_id: 'mailer-at-crm',
        idp_client_id: 'postman',
      }),
    ],
  ]);
});
afterAll(() => api.stop());

const expand = async (iss: string, rest: string) => {
  const { status, body } = await api.get(`/v1/graph?expand=${encodeURIComponent(`issuer:${iss}`)}&${rest}`);
  const nameOf = new Map<string, string>((body.nodes ?? []).map((node: any) => [node.id, node.name]));
  return {
    status,
    body,
    names: (body.nodes ?? [])
      .map(({ type, name, users }: any) => [type, name, ...(users === undefined ? [] : [users])].join(' '))
      .sort(),
    arrows: (body.edges ?? [])
      .map(({ from, to, grants }: any) =>
        [nameOf.get(from), '→', nameOf.get(to), ...(grants === undefined ? [] : [grants])].join(' '),
      )
      .sort(),
  };
};

const first = ['agent agent-7', 'client assistant 3', 'client mailer 1', `issuer ${IDP} 2`];
const wholeNames = [...first, `resource ${CRM}`, `resource ${WIKI}`].sort();
const wholeArrows = [
  'agent-7 → assistant',
  `assistant → ${CRM} 2`,
  `assistant → ${WIKI} 1`,
  `mailer → ${CRM} 1`,
].sort();

describe('an issuer, expanded', () => {
  it.each([
    [IDP, 1, first, ['agent-7 → assistant']],
    [IDP, 2, wholeNames, wholeArrows],
    [IDP, 3, wholeNames, wholeArrows],
    // The issuer names neither a client nor a resource: the assistant is there because the issuer's user has a grant at it.
    [PARTNER, 1, ['client assistant 3', `issuer ${IDP} 2`, `issuer ${PARTNER} 1`], []],
    [
      PARTNER,
      2,
      [
        'agent agent-7',
        'client assistant 3',
        `issuer ${IDP} 2`,
        `issuer ${PARTNER} 1`,
        `resource ${CRM}`,
        `resource ${WIKI}`,
      ],
      wholeArrows.filter((arrow) => !arrow.startsWith('mailer')),
    ],
    [PARTNER, 3, [...wholeNames, `issuer ${PARTNER} 1`].sort(), wholeArrows],
  ] as const)(
    '%s, %i edges away: shows clients and agents, then what they reach, and counts users',
    async (iss, depth, names, arrows) => {
      const { status, body, ...drawn } = await expand(iss, `depth=${depth}&as_of=16`);
      expect([status, body.fold, body.left_out, body.left_out.at_least]).toEqual([
        200,
        'users',
        { users: 0, clients: 0, resources: 0, agents: 0, connections: 0 },
        undefined,
      ]);
      expect(drawn).toEqual({ names, arrows });
    },
  );

  it('reaches the clients that its user has come to since', async () => {
    const { names } = await expand(PARTNER, 'depth=1');
    expect(names).toEqual(['client assistant 3', 'client mailer 2', `issuer ${IDP} 2`, `issuer ${PARTNER} 1`]);
  });

  it('shows as of the sixth entry only what had come by then', async () => {
    const { body, names, arrows } = await expand(IDP, 'depth=2&as_of=6');
    expect(body.as_of.index).toBe('6');
    expect(names).toEqual(['agent agent-7', 'client assistant 1', `issuer ${IDP} 1`, `resource ${CRM}`]);
    expect(arrows).toEqual(['agent-7 → assistant', `assistant → ${CRM} 1`]);
  });

  it.each([
    ['of nobody', 'https://nobody.example', '', 404, 'not-found'],
    ['that came later', PARTNER, 'as_of=15', 404, 'not-found'],
    ['whose names are all known by those of the IdP', CRM_AS, '', 404, 'not-found'],
    ['without a name', '', '', 400, 'invalid-request'],
    ['too deep', IDP, 'depth=4', 400, 'invalid-request'],
    ['with a filter', IDP, `resource=${CRM}`, 400, 'inconsistent-request'],
    ['of the future', IDP, 'as_of=18', 400, 'as-of-out-of-range'],
  ])('refuses one %s', async (_, iss, rest, status, code) => {
    const { status: answered, body } = await expand(iss, rest);
    expect([answered, body.code]).toEqual([status, code]);
  });

  it('says `at_least` if a client has more grants than are examined, and none of those is of the issuer', async () => {
    // With three pairs, 6,667 grants of each are looked at.
    await api.pool.query(
      `INSERT INTO entity (tenant, id, kind, key, parts, from_ix)
      SELECT $1, -n, 1, int4send(n), jsonb_build_array('${IDP}', NULL, 'u' || n), 1 FROM generate_series(1, 7000) AS n`,
      [ACME],
    );
    await api.pool.query(
      `INSERT INTO grant_version (tenant, usr, client, res, from_ix, scopes)
      SELECT tenant, -n, client, res, 1, scopes FROM grant_version, generate_series(1, 7000) AS n
      WHERE tenant = $1 AND usr = (SELECT id FROM entity WHERE tenant = $1 AND parts ->> -1 = 'carol')`,
      [ACME],
    );
    const { body, names } = await expand(PARTNER, 'depth=1');
    expect([names, body.left_out.at_least]).toEqual([[`issuer ${PARTNER} 1`], true]);
    const { names: ofFirst, body: found } = await expand(IDP, 'depth=1');
    expect([ofFirst, found.left_out.at_least]).toEqual([
      first.map((name) => name.replace('mailer 1', 'mailer 2')),
      undefined,
    ]);
  });
});
