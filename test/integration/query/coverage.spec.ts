import { instantText, timeText } from '../../../src/contracts/index.js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ACME, GLOBEX, NOW, say, sha256, SOURCES, startQueryApi, T, type Said } from './history.js';
import { CRM, CRM_AS, IDP, STORY, WIKI_AS } from './story.js';

let api: Awaited<ReturnType<typeof startQueryApi>>;
let arrivals: readonly number[];

beforeAll(async () => {
  api = await startQueryApi(STORY);
  const entries = await api.pool.query<{ arrival: string }>('SELECT arrival FROM entry WHERE tenant = $1 ORDER BY ix', [
    ACME,
  ]);
  arrivals = entries.rows.map(({ arrival }) => Number(arrival));
});
afterAll(() => api.stop());

const source = (name: keyof typeof SOURCES) => ({ id: SOURCES[name].id, name });
const secondsOf = (index: number): number => Math.floor(arrivals[index]! / 1000);
const coverage = async (query = '') => (await api.get(`/v1/coverage${query}`)).body;
const itemOf = (answer: any, name: string) => answer.items.find((item: any) => item.source.name === name);
/** The part of an answer about one source, without the clocks, which depend on the day of the run. */
const saidOf = (answer: any, name: string) => {
  const { clock: _, ...said } = itemOf(answer, name);
  return said;
};
const refuse = (
  tenant: string | null,
  name: keyof typeof SOURCES | null,
  at: number,
  code: string,
  position: readonly [string, number, number] | null = null,
) =>
  api.pool.query(
    `INSERT INTO quarantine (tenant, source, at, code, detail, door, caller, cluster, topic, partition, record_offset, mode, size, headers, bytes, whole, digest)
     VALUES ($1, $2, to_timestamp($3), $4, 'in words', $5, $6, $7, $8, $9, $10, 'structured', 2, '', '{}', false, '\\x00')`,
    [
      tenant,
      name && SOURCES[name].id,
      at,
      code,
      position ? 'kafka' : 'http',
      position ? null : 'acme-emit',
      position && 'c1',
      ...(position ?? [null, null, null]),
    ],
  );

/** mulberry32: the same numbers for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const DIGEST = sha256('an ID-JAG that goes by two names');
/** Tokens that name an ID-JAG by its digest and by its jti, the event on it, one on another under the same digest, and a token told twice. */
const LATE: readonly Said[] = [
  say('idp', 'id-jag.issued', T + 15, {
    iss: IDP,
    jti: 'j-two',
    sha256: DIGEST,
    sub: 'alice',
    tenant: 'acme',
    client_id: 'assistant-at-crm',
    idp_client_id: 'assistant',
    aud: [CRM_AS],
    iat: T + 15,
    exp: T + 315,
  }),
  say('idp', 'id-jag.issued', T + 16, {
    iss: IDP,
    jti: 'j-same-digest',
    sha256: DIGEST,
    sub: 'bob',
    tenant: 'acme',
    client_id: 'assistant-at-crm',
    idp_client_id: 'assistant',
    aud: [CRM_AS],
    iat: T + 16,
    exp: T + 316,
  }),
  ...[{ sha256: DIGEST }, { jti: 'j-two' }].map((name, nth) =>
    say('crm', 'token.issued', T + 17, {
      kind: 'access',
      iss: CRM_AS,
      jti: `by-name-${nth}`,
      client_id: 'assistant-at-crm',
      aud: [CRM],
      iat: T + 17,
      exp: T + 500,
      id_jag: { iss: IDP, ...name },
    }),
  ),
  ...[1, 2].map((sequence) =>
    say('crm', 'token.issued', T + 18, {
      kind: 'access',
      iss: CRM_AS,
      jti: 'told-twice',
      client_id: 'assistant-at-crm',
      aud: [CRM],
      iat: T + 18,
      exp: T + 500,
      id_jag: { iss: IDP, jti: 'j1' },
      sequence,
    }),
  ),
];

describe('GET /v1/coverage', () => {
  it('says for each source what came, and what did not', async () => {
    const answer = await coverage();
    expect(Object.keys(answer)).toEqual(['as_of', 'findings', 'findings_left_out', 'items']);
    expect(answer.as_of).toEqual({ index: '15', at: timeText(NOW) });
    expect(answer.items.map((item: any) => item.source.name)).toEqual(['crm', 'hr', 'idp', 'wiki']);
    expect(saidOf(answer, 'crm')).toEqual({
      source: source('crm'),
      uri: 'https://crm.example',
      disabled: false,
      last: { index: '14', type: 'token.issued', at: timeText(T + 220), arrival: instantText(arrivals[14]!) },
      events: 6,
      types: [
        { type: 'token.issued', events: 3, last: '14' },
        { type: 'access.allowed', events: 2, last: '11' },
        { type: 'access.denied', events: 1, last: '4' },
        { type: 'access.summary', events: 0, last: null },
      ],
      never_sent: ['access.summary'],
      sequence: null,
      // t1 of j1 and t3 of j3, whose events have come; t4 of an ID-JAG that only its authorization server names.
      tokens: { issued: 3, id_jag_arrived: 2, id_jag_stated: 1, parent_only: 0, none: 0 },
      // The use of a token that nobody issued is not attributed.
      uses: { count: 3, attributed: 2 },
      refused: [],
    });
    expect(saidOf(answer, 'wiki')).toMatchObject({
      last: { index: '8', type: 'access.summary', at: timeText(T + 120), arrival: instantText(arrivals[8]!) },
      events: 3,
      never_sent: ['access.denied'],
      tokens: { issued: 1, id_jag_arrived: 1, id_jag_stated: 0, parent_only: 0, none: 0 },
      // One, and a summary of forty.
      uses: { count: 41, attributed: 41 },
    });
    expect(saidOf(answer, 'hr')).toMatchObject({
      last: null,
      events: 0,
      never_sent: ['user.disabled'],
      uses: { count: 0, attributed: 0 },
    });
    expect(itemOf(answer, 'hr').clock).toBeNull();
    expect(answer.findings).toEqual([
      { code: 'never-heard', source: source('hr'), says: 'hr: registered, but no event has come' },
      {
        code: 'unattributed-uses',
        source: source('crm'),
        says: 'crm: for 1 of 3 uses no event says whose token it was',
      },
      { code: 'never-sent', source: source('crm'), says: 'crm: registered for access.summary, and has sent none' },
      { code: 'never-sent', source: source('idp'), says: 'idp: registered for id-jag.denied, and has sent none' },
      { code: 'never-sent', source: source('wiki'), says: 'wiki: registered for access.denied, and has sent none' },
    ]);
  });

  it.each([
    // Before the lineage of the wiki's token: its use is not attributed, and it has issued none.
    [
      6,
      'wiki',
      { events: 1, last: { index: '5' }, tokens: { issued: 0, id_jag_arrived: 0 }, uses: { count: 1, attributed: 0 } },
    ],
    [7, 'wiki', { events: 1, last: { index: '5' }, tokens: { issued: 0 }, uses: { count: 1, attributed: 0 } }],
    // The token came; the use before it is attributed now.
    [
      8,
      'wiki',
      { events: 2, last: { index: '7' }, tokens: { issued: 1, id_jag_arrived: 1 }, uses: { count: 1, attributed: 1 } },
    ],
    [
      3,
      'crm',
      {
        events: 1,
        last: { index: '2' },
        tokens: { issued: 1, id_jag_arrived: 1 },
        uses: { count: 0, attributed: 0 },
        never_sent: ['access.allowed', 'access.denied', 'access.summary'],
      },
    ],
    [
      2,
      'crm',
      { events: 0, last: null, never_sent: ['token.issued', 'access.allowed', 'access.denied', 'access.summary'] },
    ],
  ])('as of index %i, of %s', async (index, name, said) => {
    const answer = await coverage(`?as_of=${index}`);
    expect(answer.as_of.index).toBe(String(index));
    expect(itemOf(answer, name)).toMatchObject(said);
  });

  // Begun within a block, and so that the second block begins after five events; in an order in which uses, tokens and ID-JAGs come as they like.
  it.each([
    [0, 1],
    [65_531, 2],
    [65_531, 3],
  ])(
    'from index %i, order %i: the answer about the past equals that of a deployment that stopped there',
    async (first, seed) => {
      const random = randomOf(seed);
      const events = [...STORY.flat().filter((said) => said.source !== 'globex'), ...LATE]
        .map((said) => [random(), said] as const)
        .sort(([one], [other]) => one - other)
        .map(([, said]) => said);
      const batchesOf = (said: readonly Said[]): Said[][] => {
        const batches: Said[][] = [];
        for (let at = 0; at < said.length; ) {
          const size = 1 + Math.floor(random() * 5);
          batches.push(said.slice(at, at + size));
          at += size;
        }
        return batches;
      };
      const startAt = async (said: readonly Said[]) => {
        const started = await startQueryApi([]);
        await started.pool.query('INSERT INTO ledger_head (tenant, next_ix) VALUES ($1, $2)', [ACME, first]);
        for (const batch of batchesOf(said)) await started.say(batch);
        return started;
      };
      const whole = await startAt(events);
      try {
        for (const count of [1, 4, 5, 6, 9, 13, events.length - 1]) {
          const then = (await whole.get(`/v1/coverage?as_of=${first + count}`)).body;
          const stopped = await startAt(events.slice(0, count));
          try {
            const now = (await stopped.get('/v1/coverage')).body;
            const withoutArrival = (answer: any, name: string) => ({
              ...saidOf(answer, name),
              sequence: null,
              last: { ...itemOf(answer, name).last, arrival: null },
            });
            for (const name of ['crm', 'hr', 'idp', 'wiki'])
              expect([count, withoutArrival(then, name)]).toEqual([count, withoutArrival(now, name)]);
            const counted = (answer: any) => answer.items.map(({ clock }: any) => clock?.events);
            expect(counted(then)).toEqual(counted(now));
          } finally {
            await stopped.stop();
          }
        }
      } finally {
        await whole.stop();
      }
    },
  );

  it('has pages of sources as of the first page, with the findings of all sources', async () => {
    const names: string[] = [];
    let next: string | undefined;
    do {
      const page = await coverage(`?limit=1&as_of=12${next === undefined ? '' : `&cursor=${next}`}`);
      expect([page.as_of.index, page.items.length, page.findings[0].code]).toEqual(['12', 1, 'never-heard']);
      names.push(page.items[0].source.name);
      next = page.next;
    } while (next !== undefined);
    expect(names).toEqual(['crm', 'hr', 'idp', 'wiki']);
  });

  it('shows a tenant only its own sources', async () => {
    const { body } = await api.get('/v1/coverage', 'globex-audit');
    expect(body.items.map((item: any) => [item.source.name, item.events, item.tokens.none])).toEqual([
      ['globex', 1, 1],
    ]);
    expect(body.findings.map((finding: any) => finding.code)).toEqual(['tokens-without-lineage']);
  });

  it.each([
    ['?as_of=16', 'as-of-out-of-range'],
    ['?as_of=0', 'as-of-out-of-range'],
    ['?as_of=2099-01-01T00:00:00Z', 'as-of-out-of-range'],
    ['?as_of=yesterday', 'invalid-request'],
    ['?limit=0', 'invalid-request'],
    ['?limit=101', 'invalid-request'],
    ['?source=crm', 'invalid-request'],
    ['?as_of=1&as_of=2', 'invalid-request'],
    ['?cursor=AAAA', 'invalid-cursor'],
  ])('refuses %s', async (query, code) => {
    const { status, body } = await api.get(`/v1/coverage${query}`);
    expect([status, body.code]).toEqual([400, code]);
  });
});

describe('a refusal of another tenant', () => {
  it.each([
    ['now', '', () => NOW - 20],
    ['as of an index', '?as_of=14', () => secondsOf(0) - 60],
  ])('does not change which records are examined here, %s', async (_, query, moment) => {
    const at = moment();
    await refuse(ACME, 'wiki', at, 'nul');
    const { rows } = await api.pool.query<{ id: string }>(
      `INSERT INTO quarantine (tenant, source, at, code, detail, door, caller, mode, size, headers, bytes, whole, digest)
       SELECT $1, $2, to_timestamp($3), 'nul', 'in words', 'http', 'globex-emit', 'structured', 2, '', '{}', false, sha256(n::text::bytea) FROM generate_series(1, 50000) n RETURNING id`,
      [GLOBEX, SOURCES.globex.id, at],
    );
    const answer = await coverage(query);
    const check = (await api.get('/v1/sources/wiki/check', 'acme-admin')).body;
    await api.pool.query('DELETE FROM quarantine');
    expect(rows).toHaveLength(50_000);
    expect(itemOf(answer, 'wiki').refused).toEqual([{ code: 'nul', count: 1 }]);
    expect(check.refused.map(({ code }: any) => code)).toEqual(['nul']);
  });
});

describe('later events', () => {
  beforeAll(async () => {
    await api.say([
      /* 15, of a bare token, numbered */ say('wiki', 'token.issued', T + 400, {
        kind: 'access',
        iss: WIKI_AS,
        jti: 'w-bare',
        client_id: 'assistant-at-wiki',
        aud: ['https://wiki.example/api'],
        iat: T + 400,
        exp: T + 900,
        sequence: 1,
      } as never),
      /* 16, which came from another token */ say('wiki', 'token.issued', T + 410, {
        kind: 'access',
        iss: WIKI_AS,
        jti: 'w-child',
        client_id: 'assistant-at-wiki',
        aud: ['https://wiki.example/api'],
        iat: T + 410,
        exp: T + 900,
        parent: { iss: WIKI_AS, jti: 'w-bare' },
        sequence: 4,
      } as never),
    ]);
    // The ID-JAG that only its authorization server had named.
    await api.say([
      /* 17 */ say('idp', 'id-jag.issued', T + 15, {
        iss: IDP,
        jti: 'j-unseen',
        sub: 'alice',
        tenant: 'acme',
        client_id: 'assistant-at-crm',
        idp_client_id: 'assistant',
        aud: [CRM_AS],
        resource: [CRM],
        scope: 'contacts.read',
        iat: T + 15,
        exp: T + 315,
      }),
    ]);
    await refuse(ACME, 'crm', NOW - 60, 'wrong-issuer', ['rescind.events.crm', 0, 41]);
    await refuse(ACME, 'crm', NOW - 30, 'wrong-issuer', ['rescind.events.crm', 0, 42]);
    await refuse(ACME, 'crm', NOW - 10, 'invalid-data');
    await refuse(ACME, 'crm', NOW - 90_000, 'nul');
    await refuse(ACME, 'wiki', NOW - 86_400, 'too-large');
    await refuse(null, null, NOW - 5, 'unknown-source');
    await refuse(GLOBEX, 'globex', NOW - 5, 'wrong-topic');
  });

  it('change gaps, refusals of 24 h, late lineage, and tokens without lineage', async () => {
    const answer = await coverage();
    expect(itemOf(answer, 'crm').tokens).toEqual({
      issued: 3,
      id_jag_arrived: 3,
      id_jag_stated: 0,
      parent_only: 0,
      none: 0,
    });
    expect(itemOf(await coverage('?as_of=17'), 'crm').tokens).toEqual({
      issued: 3,
      id_jag_arrived: 2,
      id_jag_stated: 1,
      parent_only: 0,
      none: 0,
    });
    expect(itemOf(answer, 'wiki')).toMatchObject({
      tokens: { issued: 3, id_jag_arrived: 1, id_jag_stated: 0, parent_only: 1, none: 1 },
      sequence: { first: 1, last: 4, missing: 2, repeated: 0, given_up: 0 },
      refused: [],
    });
    expect(itemOf(await coverage('?as_of=17'), 'wiki').sequence).toBeNull();
    expect(itemOf(answer, 'crm').refused).toEqual([
      { code: 'wrong-issuer', count: 2 },
      { code: 'invalid-data', count: 1 },
    ]);
    expect(answer.findings.map(({ code, says }: any) => `${code} | ${says}`)).toEqual([
      'never-heard | hr: registered, but no event has come',
      'gaps | wiki: 2 events numbered since 1 never came',
      'refusals | crm: 3 events refused within 24 h, most of them wrong-issuer',
      'tokens-without-lineage | wiki: 1 of 3 tokens without an ID-JAG or a parent token',
      'unattributed-uses | crm: for 1 of 3 uses no event says whose token it was',
      'never-sent | crm: registered for access.summary, and has sent none',
      'never-sent | idp: registered for id-jag.denied, and has sent none',
      'never-sent | wiki: registered for access.denied, and has sent none',
    ]);
  });

  describe('GET /v1/sources/{id}/check', () => {
    it('says what came from one source, what was refused, and what to do', async () => {
      const { status, body } = await api.get('/v1/sources/crm/check', 'acme-admin');
      expect(status).toBe(200);
      expect(body.source).toEqual(source('crm'));
      expect(body.events.map(({ index, type, at, subject }: any) => [index, type, at, subject])).toEqual([
        [
          '14',
          'token.issued',
          timeText(T + 220),
          { iss: CRM_AS, jti: 't4', sub: 'crm-alice', client_id: 'assistant-at-crm' },
        ],
        ['11', 'access.allowed', timeText(T + 70), { iss: CRM_AS, jti: 'nobody-knows' }],
        ['10', 'token.issued', timeText(T + 60), { iss: CRM_AS, jti: 't3', client_id: 'mailer-at-crm' }],
        ['4', 'access.denied', timeText(T + 40), { iss: CRM_AS, jti: 't1' }],
        ['3', 'access.allowed', timeText(T + 30), { iss: CRM_AS, jti: 't1' }],
        [
          '2',
          'token.issued',
          timeText(T + 20),
          { iss: CRM_AS, jti: 't1', sub: 'crm-alice', client_id: 'assistant-at-crm' },
        ],
      ]);
      expect(body.events[0]).toMatchObject({
        arrival: instantText(arrivals[14]!),
        delay_ms: arrivals[14]! - (T + 220) * 1000,
      });
      expect(
        body.refused.map(({ at, code, door, caller, position }: any) => [at, code, door, caller, position]),
      ).toEqual([
        [instantText((NOW - 90_000) * 1000), 'nul', 'http', 'acme-emit', null],
        [instantText((NOW - 10) * 1000), 'invalid-data', 'http', 'acme-emit', null],
        [
          instantText((NOW - 30) * 1000),
          'wrong-issuer',
          'kafka',
          null,
          { topic: 'rescind.events.crm', partition: 0, offset: '42' },
        ],
        [
          instantText((NOW - 60) * 1000),
          'wrong-issuer',
          'kafka',
          null,
          { topic: 'rescind.events.crm', partition: 0, offset: '41' },
        ],
      ]);
      expect(body.types.map(({ type, events, registered }: any) => [type, events, registered])).toEqual([
        ['token.issued', 3, true],
        ['access.allowed', 2, true],
        ['access.denied', 1, true],
        ['access.summary', 0, true],
      ]);
      expect([body.keys, body.partitions]).toEqual([{ from: 'none', usable: 0 }, null]);
      expect(body.next_steps.map(({ code }: any) => code)).toEqual(['register-keys', 'never-sent']);
    });

    it('accepts a name or an id, and names a person if the event does', async () => {
      const { body } = await api.get(`/v1/sources/${SOURCES.idp.id}/check`);
      expect(body.events.find((event: any) => event.index === '13').subject).toEqual({
        iss: IDP,
        sub: 'bob',
        tenant: 'acme',
      });
      expect(
        (await api.get('/v1/sources/wiki/check')).body.events.find((event: any) => event.index === '7').subject,
      ).toEqual({ sha256: sha256('opaque-token-of-bob'), client_id: 'assistant-at-wiki' });
    });

    it('tells a source that has sent nothing how to begin', async () => {
      const { body } = await api.get('/v1/sources/hr/check');
      expect([body.events, body.refused, body.clock]).toEqual([[], [], null]);
      expect(body.next_steps.map(({ code }: any) => code)).toEqual(['send-first-event']);
      expect(body.next_steps[0].says).toMatch(/rescind\.events\.hr.*https:\/\/hr\.example/);
    });

    it.each([
      ['crm', 'acme-admin', 200],
      ['crm', 'acme-audit', 200],
      ['crm', 'acme-emit', 200],
      [SOURCES.crm.id, 'acme-emit', 200],
      // Its role names the crm alone; it does not learn either which names there are.
      ['wiki', 'acme-emit', 403],
      ['no-such', 'acme-emit', 403],
      ['crm', 'acme-introspect', 403],
      ['crm', 'acme-guard', 403],
      ['crm', 'acme-revoke', 403],
      ['crm', 'acme-revoke-own', 403],
      ['crm', null, 401],
      ['no-such', 'acme-admin', 404],
      ['globex', 'acme-admin', 404],
      [SOURCES.globex.id, 'acme-audit', 404],
      ['crm', 'globex-admin', 404],
      ['crm', 'globex-emit', 403],
      ['__proto__', 'acme-audit', 404],
      ['%00', 'acme-audit', 404],
      ['crm?as_of=3', 'acme-audit', 400],
    ])('of %s, asked by %s: %i', async (name, caller, status) => {
      const [id, query] = name.split('?');
      const answer = await api.get(`/v1/sources/${id}/check${query === undefined ? '' : `?${query}`}`, caller);
      expect(answer.status).toBe(status);
    });
  });
});

it('coverage tells a clock that is ahead, and one that is behind or late, from one that is right', async () => {
  const told = await startQueryApi([]);
  try {
    const now = Math.floor(Date.now() / 1000);
    const used = (name: 'crm' | 'wiki' | 'idp', at: number, nth: number) =>
      say(name, 'access.allowed', at, {
        token: { iss: CRM_AS, jti: `of-${name}-${nth}` },
        operation: 'read',
        status: 200,
      });
    await told.say([
      used('crm', now - 2, 0),
      used('crm', now + 120, 1),
      used('wiki', now - 1, 0),
      used('wiki', now - 7_200, 1),
    ]);
    await told.say(Array.from({ length: 19 }, (_, nth) => used('idp', now - 300 - nth, nth)));
    const clockOf = async (name: string) => itemOf((await told.get('/v1/coverage')).body, name).clock;
    // Nineteen late ones prove nothing yet.
    expect((await clockOf('idp')).verdict).toBe('right');
    await told.say([used('idp', now - 300, 19)]);
    const [crm, wiki, idp] = await Promise.all(['crm', 'wiki', 'idp'].map(clockOf));
    expect(crm).toMatchObject({ verdict: 'ahead', events: 2, ahead: 1, prompt: 1 });
    expect(crm.delay.least).toBeLessThan(-100_000);
    expect(wiki).toMatchObject({ verdict: 'right', events: 2, ahead: 0, prompt: 1 });
    expect(wiki.delay.most).toBeGreaterThanOrEqual(7_200_000);
    expect(idp).toMatchObject({ verdict: 'behind-or-late', events: 20, ahead: 0, prompt: 0 });
    const findings = (await told.get('/v1/coverage')).body.findings.filter(({ code }: any) => code === 'clock-off');
    expect(findings.map(({ says }: any) => says)).toEqual([
      expect.stringMatching(/^crm: its clock is ahead by (1\d\d seconds|(1\.9|2) minutes) or more$/),
      expect.stringMatching(
        /^idp: its clock is behind, or it sends late: the promptest event came 5 minutes after its own time$/,
      ),
    ]);
  } finally {
    await told.stop();
  }
});
