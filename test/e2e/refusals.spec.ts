import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { startOrganisation, until, type Organisation } from './rescind-fixture.js';

interface Entry {
  readonly index: string;
  readonly type: string;
  readonly source: { readonly name: string | null };
  readonly payload: { readonly bytes: string } | null;
}

const refusalOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
    return 'nothing was refused';
  } catch (error) {
    return String((error as { error?: string }).error);
  }
};

describe('refusals', () => {
  let organisation: Organisation;
  beforeAll(async () => {
    organisation = await startOrganisation('kafka');
    await organisation.sandbox.signIn('alice', 'atlas');
    await organisation.sandbox.signIn('bob', 'atlas');
  });
  afterAll(() => organisation.stop());

  /** The first entry of a type whose payload, as it was published, says what is asked for. */
  const entryOf = (
    type: string,
    says: (data: Record<string, unknown>) => boolean,
  ): Promise<{ entry: Entry; data: Record<string, unknown> }> => {
    let next = 0n;
    return until(async () => {
      const head = BigInt(
        (await organisation.analyst.get<{ as_of: { index: string } }>('/v1/access?limit=1')).as_of.index,
      );
      for (; next < head; next += 1n) {
        const entry = await organisation.analyst.get<Entry>(`/v1/entries/${next}`);
        if (entry.type !== `dev.rescind.${type}.v1` || entry.payload === null) continue;
        const body = JSON.parse(Buffer.from(entry.payload.bytes, 'base64').toString('utf8')) as Record<string, unknown>;
        const data = (
          entry.source.name === organisation.sandbox.registered.parties.get('idp')?.name ? body['data'] : body
        ) as Record<string, unknown>;
        if (says(data)) return { entry, data };
      }
      return undefined;
    });
  };

  it('an exchange that the policy refuses is in the ledger with its reason', async () => {
    const { atlas } = organisation.sandbox.clients;
    expect(await refusalOf(atlas.exchange('bob', 'crm', 'crm.export'))).toBe('access_denied');
    const { data } = await entryOf('id-jag.denied', ({ sub }) => sub === 'bob');
    expect(data).toMatchObject({
      iss: organisation.sandbox.idp.issuer,
      idp_client_id: 'atlas',
      scope: 'crm.export',
      error: 'access_denied',
      reason: 'no scope for this user',
      agent: { id: 'atlas', type: 'ai_agent' },
    });
  });

  it('a replayed ID-JAG is in the ledger under its identity', async () => {
    const { atlas } = organisation.sandbox.clients;
    const idJag = await atlas.exchange('alice', 'crm');
    await atlas.redeem('crm', idJag);
    expect(await refusalOf(atlas.redeem('crm', idJag))).toBe('invalid_grant');
    const { jti } = decodeJwt(idJag);
    const { data } = await entryOf(
      'token.denied',
      ({ id_jag: presented }) => (presented as { jti?: string }).jti === jti,
    );
    expect(data).toMatchObject({ error: 'invalid_grant', reason: 'replay' });
  });

  it('an ID-JAG that a rule stops is refused before a token is issued', async () => {
    const { clients, idp } = organisation.sandbox;
    const idJag = await clients.atlas.exchange('bob', 'files');
    const { jti } = decodeJwt(idJag);
    await organisation.analyst.post('/v1/revocations', {
      selector: { id_jag: { iss: idp.issuer, jti } },
      reason: 'leaked',
    });
    expect(await refusalOf(clients.atlas.redeem('files', idJag))).toBe('invalid_grant');
    const { data } = await entryOf(
      'token.denied',
      ({ id_jag: presented }) => (presented as { jti?: string }).jti === jti,
    );
    expect(data).toMatchObject({ reason: 'revoked' });
  });

  it('a call with too small a scope is denied, and its event says what was tried', async () => {
    const { atlas } = organisation.sandbox.clients;
    const accessToken = await organisation.obtain('bob', 'atlas', 'crm');
    const response = await atlas.call('crm', accessToken, 'GET', '/export');
    expect(response.status).toBe(403);
    const { data } = await entryOf('access.denied', ({ error }) => error === 'insufficient_scope');
    expect(data).toMatchObject({
      operation: 'export',
      route: 'GET /export',
      status: 403,
      token: { iss: organisation.sandbox.apps.crm.issuer },
    });
  });

  it('an ID-JAG for another audience is refused', async () => {
    const { atlas } = organisation.sandbox.clients;
    expect(await refusalOf(atlas.redeem('files', await atlas.exchange('alice', 'crm')))).toBe('invalid_grant');
  });

  it("another application's token is inactive here", async () => {
    const { atlas } = organisation.sandbox.clients;
    const accessToken = await organisation.obtain('alice', 'atlas', 'crm');
    expect((await atlas.call('crm', accessToken, 'GET', '/contacts')).status).toBe(200);
    expect((await atlas.call('files', accessToken, 'GET', '/documents')).status).toBe(401);
  });
});
