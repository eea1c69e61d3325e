import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { canonicalJson, type EventDataOf, eventType, timeText } from '../../../src/contracts/index.js';
import { contentOf } from '../../../src/ingest/index.js';
import { appendEntries, prepareEntry } from '../../../src/log/index.js';
import { inTransaction } from '../../../src/platform/postgres/index.js';
import { writeProjections, type OwnProjectedEvent } from '../../../src/projections/index.js';
import { ruleKey } from '../../../src/rules/index.js';
import { ACME, keyOf, RULE, say, sha256, startQueryApi, T, tokenId } from './history.js';
import { AGENT, CRM, CRM_AS, IDP, STORY, T2_TEXT } from './story.js';

let api: Awaited<ReturnType<typeof startQueryApi>>;
beforeAll(async () => {
  api = await startQueryApi(STORY);
  const issued: EventDataOf['token.issued'] = {
    kind: 'access',
    iss: CRM_AS,
    jti: 't5',
    client_id: 'assistant-at-crm',
    aud: [CRM],
    scope: 'contacts.read',
    iat: T + 300,
    exp: T + 900,
    id_jag: { iss: IDP, jti: 'j5' },
  };
  await api.say([/* 15: nobody says whose it is */ say('crm', 'token.issued', T + 300, issued)]);
  await api.say([
    /* 16 */ say('crm', 'access.allowed', T + 310, {
      token: { iss: CRM_AS, jti: 't5' },
      operation: 'read',
      status: 200,
    }),
  ]);
  await api.say([
    /* 17: its lineage, late */ say('idp', 'id-jag.issued', T + 290, {
      iss: IDP,
      jti: 'j5',
      sub: 'bob',
      tenant: 'acme',
      client_id: 'assistant-at-crm',
      idp_client_id: 'assistant',
      aud: [CRM_AS],
      resource: [CRM],
      scope: 'contacts.read',
      iat: T + 290,
      exp: T + 590,
      agent: AGENT,
    }),
  ]);
  await api.say([/* 18: says otherwise */ say('crm', 'token.issued', T + 300, { ...issued, scope: 'everything' })]);
  await sayOwn(19n, 'revocation.ordered', {
    rule: PAST_RULE,
    seq: '900',
    effect: 'block',
    selector: { user: { iss: IDP, tenant: 'acme', sub: 'bob' } },
    reauthenticate: false,
    reason: 'gone',
    author: { caller: 'acme-revoke' },
  });
  await sayOwn(20n, 'revocation.lifted', {
    rule: PAST_RULE,
    seq: '901',
    at: T + 400,
    resume: true,
    reason: 'back',
    author: { caller: 'acme-revoke' },
  });
  await api.say([
    /* 21 */ say('crm', 'access.denied', T + 500, {
      token: { iss: CRM_AS, jti: 't5' },
      operation: 'write',
      status: 403,
    }),
  ]);
});
afterAll(() => api.stop());

const PAST_RULE = randomUUID();

async function sayOwn<N extends 'revocation.ordered' | 'revocation.lifted'>(
  ix: bigint,
  name: N,
  data: EventDataOf[N],
): Promise<void> {
  const said = {
    type: eventType(name),
    source: `urn:rescind:${ACME}`,
    id: `own-${ix}`,
    time: new Date((T + 350) * 1000).toISOString(),
    data,
  };
  const bytes = Buffer.from(canonicalJson({ specversion: '1.0', ...said }));
  const entry = prepareEntry({
    tenant: ACME,
    tenantKey: keyOf(ACME),
    type: said.type,
    source: ACME,
    eventId: said.id,
    mode: 'own',
    headers: [],
    bytes,
  });
  await inTransaction(api.pool, async (client) => {
    const [placed] = await appendEntries(client, [entry], contentOf);
    expect(placed!.index).toBe(ix);
    await writeProjections(
      client,
      [],
      [
        {
          name,
          data,
          tenant: ACME,
          tenantKey: keyOf(ACME),
          ix,
          arrivalMs: placed!.arrivalMs!,
          atMs: (T + 350) * 1000,
        } as OwnProjectedEvent,
      ],
    );
  });
}

const T5 = tokenId(ruleKey(keyOf(ACME), 'token', [CRM_AS, 't5']));
const J5 = tokenId(ruleKey(keyOf(ACME), 'id_jag', [IDP, 'j5']));
const asOf = async (index: number, path = `/v1/tokens/${T5}`) => {
  const { status, body } = await api.get(`${path}${path.includes('?') ? '&' : '?'}as_of=${index}`);
  return { status, body };
};
const told = ({ body }: { readonly body: any }) => ({
  user: body.user?.sub ?? null,
  agent: body.agent?.id ?? null,
  conflict: body.conflict,
  id_jags: body.lineage.id_jags.map(({ id }: any) => id),
  missing: body.lineage.missing.map(({ id }: any) => id),
  accesses: [body.accesses.allowed, body.accesses.denied],
  stopped: body.stopped_by.map(({ rule }: any) => rule),
});

describe('a token as of an index', () => {
  it.each([
    [16, { user: null, agent: null, conflict: null, id_jags: [], missing: [J5], accesses: [0, 0], stopped: [] }],
    [17, { user: null, agent: null, conflict: null, id_jags: [], missing: [J5], accesses: [1, 0], stopped: [] }],
    [18, { user: 'bob', agent: 'agent-7', conflict: null, id_jags: [J5], missing: [], accesses: [1, 0], stopped: [] }],
    [19, { user: 'bob', agent: 'agent-7', conflict: '18', id_jags: [J5], missing: [], accesses: [1, 0], stopped: [] }],
    [
      20,
      {
        user: 'bob',
        agent: 'agent-7',
        conflict: '18',
        id_jags: [J5],
        missing: [],
        accesses: [1, 0],
        stopped: [PAST_RULE],
      },
    ],
    [21, { user: 'bob', agent: 'agent-7', conflict: '18', id_jags: [J5], missing: [], accesses: [1, 0], stopped: [] }],
    // The present: what this node holds stops its client; the ledger of this history does not tell of it.
    [
      22,
      { user: 'bob', agent: 'agent-7', conflict: '18', id_jags: [J5], missing: [], accesses: [1, 1], stopped: [RULE] },
    ],
  ])('%i', async (index, expected) => {
    const answer = await asOf(index);
    expect(answer.body.as_of.index).toBe(String(index));
    expect({ [index]: told(answer) }).toEqual({ [index]: expected });
  });

  it('marks a member of the lineage as contradicted from then on only', async () => {
    await api.say([
      say('idp', 'id-jag.issued', T + 290, {
        iss: IDP,
        jti: 'j5',
        sub: 'bob',
        tenant: 'acme',
        client_id: 'assistant-at-crm',
        idp_client_id: 'assistant',
        aud: [CRM_AS],
        resource: [CRM],
        scope: 'other',
        iat: T + 290,
        exp: T + 590,
        agent: AGENT,
      }),
    ]);
    expect((await asOf(22)).body.lineage.id_jags[0].conflict).toBe(false);
    expect((await asOf(23)).body.lineage.id_jags[0].conflict).toBe(true);
  });

  it('is not found before its event, by any name', async () => {
    for (const path of [`/v1/tokens/${T5}`, `/v1/tokens?iss=${CRM_AS}&jti=t5`]) {
      expect(await asOf(15, path)).toMatchObject({ status: 404, body: { code: 'not-found' } });
      expect(await asOf(16, path)).toMatchObject({ status: 200, body: { index: '15' } });
    }
    const opaque = `/v1/tokens?sha256=${sha256(T2_TEXT)}`;
    expect(await asOf(7, opaque)).toMatchObject({ status: 404 });
    expect((await asOf(8, opaque)).body.accesses).toEqual({
      count: 1,
      allowed: 1,
      denied: 0,
      first: timeText(T + 35),
      last: timeText(T + 35),
    });
    expect((await asOf(9, opaque)).body.accesses).toEqual({
      count: 41,
      allowed: 41,
      denied: 0,
      first: timeText(T + 35),
      last: timeText(T + 119),
    });
  });

  it.each([
    ['as_of=999', 'as-of-out-of-range'],
    ['as_of=0', 'as-of-out-of-range'],
    ['as_of=2001-01-01T00:00:00Z', 'as-of-out-of-range'],
    ['as_of=2098-01-01T00:00:00Z', 'as-of-out-of-range'],
    ['as_of=yesterday', 'invalid-request'],
    ['as_of=', 'invalid-request'],
    ['as_of=1&as_of=2', 'invalid-request'],
  ])('refuses %s', async (query, code) => {
    for (const path of [`/v1/tokens/${T5}?`, `/v1/tokens?iss=${CRM_AS}&jti=t5&`]) {
      const { status, body } = await api.get(`${path}${query}`);
      expect([status, body.code]).toEqual([400, code]);
    }
  });
});
