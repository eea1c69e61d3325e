import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CloudEvent, EventDataOf, SourceEventName } from '../../../src/contracts/index.js';
import { buildEvent } from '../../../src/emit/index.js';
import { ADMIN_CALLER } from '../../../src/registry/index.js';
import { access, API, createStage, fromChat, IDP, idJag, RAS, token, type Stage } from '../../support/stage.js';

const CRM = 'https://login.crm.example';
const OTHER_IDP = 'https://idp.other.example';
const CRM_API = 'https://api.crm.example';

/** Two applications of one tenant: `crm` sees tokens of `chat`, as one to whom they are relayed does, and knows their digests. */
let stage: Stage;
beforeAll(async () => {
  stage = await createStage();
  const actor = { id: ADMIN_CALLER, tenant: stage.tenant };
  const types = ['token.issued', 'access.allowed', 'access.summary'] as const;
  await stage.registry.createSource(actor, {
    name: 'crm',
    uri: `${CRM}/events`,
    types: [...types],
    issuers: [CRM],
    resources: [CRM_API, `${CRM_API}/v2`],
  });
  await stage.registry.createSource(actor, {
    name: 'other-idp',
    uri: `${OTHER_IDP}/events`,
    types: ['id-jag.issued'],
    issuers: [OTHER_IDP],
    resources: [],
  });
  await stage.registry.updateCaller(actor, 'emitter', {
    roles: { emit: { sources: ['idp', 'other-idp', 'chat', 'crm'] } },
  });
  caller = stage.follower.state.caller('emitter')!;
});
afterAll(() => stage.stop());

let caller: Stage['caller'];
async function emit(...events: readonly CloudEvent[]): Promise<readonly unknown[]> {
  const answer = await stage.intake.take({
    contentType: 'application/cloudevents-batch+json',
    body: Buffer.from(JSON.stringify(events)),
    caller,
  });
  return 'batch' in answer ? answer.batch : [answer.single];
}
const rows = async <T extends object>(sql: string, values: unknown[] = []): Promise<T[]> =>
  (await stage.database.pool.query<T>(sql, values)).rows;

const fromCrm = <N extends SourceEventName>(name: N, data: EventDataOf[N]): CloudEvent<N> =>
  buildEvent(name, { source: `${CRM}/events`, data }) as CloudEvent<N>;
const digest = (text: string): string => createHash('sha256').update(text).digest('base64url');
const opaque = (text: string): EventDataOf['token.issued'] => {
  const { jti: _, ...rest } = token();
  return { ...rest, sha256: digest(text) };
};
const ofCrm = (text: string): EventDataOf['token.issued'] => ({
  ...opaque(text),
  iss: CRM,
  client_id: 'crm-client',
  aud: [CRM_API],
  scope: 'crm.read',
});
const ofToken = (text: string): string => `facts->>'sha256' = '${digest(text)}'`;
const stored = { index: expect.any(String), state: 'sequenced' };
const foreign = { error: 'token-of-another-issuer', detail: expect.any(String) };

describe('a digest under which a token was announced', () => {
  it('belongs to its issuer: the event of another issuer is refused, and the token stays as announced', async () => {
    expect(await emit(fromChat('token.issued', opaque('mine')))).toEqual([stored]);
    expect(await emit(fromCrm('token.issued', ofCrm('mine')))).toEqual([foreign]);
    expect(await rows(`SELECT facts->>'iss' AS iss, conflict_ix FROM token WHERE ${ofToken('mine')}`)).toEqual([
      { iss: RAS, conflict_ix: null },
    ]);
    expect(await rows('SELECT 1 FROM contradiction_owed')).toEqual([]);
    expect(await rows(`SELECT 1 FROM control_log WHERE kind = 'rule.ordered'`)).toEqual([]);
    expect(await rows(`SELECT code, source FROM quarantine WHERE code = 'token-of-another-issuer'`)).toEqual([
      { code: 'token-of-another-issuer', source: stage.follower.state.sourceByName('crm')!.id },
    ]);
  });

  it('belongs to the first issuer, even within one batch', async () => {
    expect(await emit(fromChat('token.issued', opaque('both')), fromCrm('token.issued', ofCrm('both')))).toEqual([
      stored,
      foreign,
    ]);
    expect(await rows(`SELECT facts->>'iss' AS iss, conflict_ix FROM token WHERE ${ofToken('both')}`)).toEqual([
      { iss: RAS, conflict_ix: null },
    ]);
  });

  it('can be contradicted only by its own issuer', async () => {
    await emit(fromChat('token.issued', opaque('own')));
    expect(await emit(fromChat('token.issued', { ...opaque('own'), scope: 'chat.admin' }))).toEqual([stored]);
    expect(await rows(`SELECT conflict_ix IS NOT NULL AS conflict FROM token WHERE ${ofToken('own')}`)).toEqual([
      { conflict: true },
    ]);
  });
});

describe('an ID-JAG that a token names by its digest', () => {
  it.each([
    ['before the token', true],
    ['after the token', false],
  ])('belongs to the issuer that the token states, not to one that claims the digest %s', async (name, isFirst) => {
    const sha256 = digest(`id-jag ${name}`);
    const claimed = buildEvent('id-jag.issued', {
      source: `${OTHER_IDP}/events`,
      data: idJag({ iss: OTHER_IDP, jti: name, sha256, sub: 'mallory' }),
    });
    const issued = fromChat('token.issued', token({ jti: name, id_jag: { iss: IDP, sha256 } }));
    expect(await emit(...(isFirst ? [claimed, issued] : [issued]))).toEqual(isFirst ? [stored, stored] : [stored]);
    if (!isFirst) await emit(claimed);
    const user = () =>
      rows(
        `SELECT e.parts ->> 2 AS sub FROM token t LEFT JOIN entity e ON e.tenant = t.tenant AND e.id = t.usr WHERE t.facts ->> 'jti' = $1`,
        [name],
      );
    expect(await user()).toEqual([{ sub: null }]);
    await emit(
      buildEvent('id-jag.issued', { source: `${IDP}/events`, data: idJag({ jti: name, sha256, sub: 'alice' }) }),
    );
    expect(await user()).toEqual([{ sub: 'alice' }]);
  });
});

const use = (text: string, over: object = {}): EventDataOf['access.allowed'] =>
  access({ token: { sha256: digest(text) }, operation: 'export', records: 1_000_000, ...over });
const usesOf = (text: string) =>
  rows<{ source: string; attributed: boolean; known_foreign: boolean }>(
    `SELECT s.name AS source, a.usr IS NOT NULL AS attributed, a.foreign_ix IS NOT NULL AS known_foreign
     FROM access a JOIN unnest($1::uuid[], $2::text[]) AS s (id, name) ON s.id = a.source
     WHERE a.tok = (SELECT key FROM token WHERE ${ofToken(text)}) ORDER BY a.ix`,
    [
      [...stage.follower.state.sources()].map(({ id }) => id),
      [...stage.follower.state.sources()].map(({ name }) => name),
    ],
  );

describe('a use of a token', () => {
  const OWN = { source: 'chat', attributed: true, known_foreign: false };
  const FORGED = { source: 'crm', attributed: false, known_foreign: true };

  it('counts if its audience is a resource of the source, and is attributed to nobody otherwise', async () => {
    await emit(fromChat('token.issued', opaque('used')));
    await emit(
      fromChat('access.allowed', use('used')),
      fromCrm('access.allowed', use('used')),
      fromCrm('access.allowed', use('used', { resource: [CRM_API] })),
    );
    expect(await usesOf('used')).toEqual([OWN, FORGED, FORGED]);
    expect(await stage.metrics.text()).toMatch(/rescind_ingest_foreign_uses_total\{source="[0-9a-f-]+"\} 2/);
  });

  it('is judged when the token comes, if it came first', async () => {
    await emit(fromCrm('access.allowed', use('late')), fromChat('access.allowed', use('late')));
    expect(await emit(fromChat('token.issued', opaque('late')))).toEqual([stored]);
    expect(await usesOf('late')).toEqual([FORGED, OWN]);
    // Nor does anything that is said of the token later make it count.
    await emit(fromChat('token.issued', { ...opaque('late'), sequence: 1 }));
    expect(await usesOf('late')).toEqual([FORGED, OWN]);
  });

  it('is stored the same whether its token came in its batch, before or after it', async () => {
    const columns = (text: string) =>
      rows(`SELECT source_res IS NULL AS none, foreign_ix IS NULL AS fine, bound_ix IS NULL AS unbound FROM access
            WHERE tok = (SELECT key FROM token WHERE ${ofToken(text)}) ORDER BY source`);
    await emit(fromCrm('access.allowed', use('split')), fromChat('access.allowed', use('split')));
    await emit(fromChat('token.issued', opaque('split')));
    await emit(
      fromCrm('access.allowed', use('whole')),
      fromChat('access.allowed', use('whole')),
      fromChat('token.issued', opaque('whole')),
    );
    expect(await columns('whole')).toEqual(await columns('split'));
  });

  it('counts even if its token is for another resource of the source than the one used', async () => {
    await emit(fromCrm('token.issued', { ...ofCrm('sibling'), aud: [`${CRM_API}/v2`] }));
    await emit(
      fromCrm('access.allowed', use('sibling', { resource: [CRM_API] })),
      fromCrm('access.allowed', use('sibling')),
    );
    expect(await usesOf('sibling')).toEqual([
      { ...FORGED, attributed: true, known_foreign: false },
      { ...FORGED, attributed: true, known_foreign: false },
    ]);
  });

  it('is in no sum of users, clients or resources if it is forged', async () => {
    const {
      rows: [sum],
    } = await stage.database.pool.query(
      `SELECT (SELECT sum(n)::int FROM use_total) AS total, (SELECT count(*)::int FROM access WHERE bound_ix IS NOT NULL) AS bound`,
    );
    expect(sum.total).toBe(sum.bound);
    expect(API).not.toBe(CRM_API);
  });
});
