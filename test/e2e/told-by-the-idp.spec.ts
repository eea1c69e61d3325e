import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AppName, ClientName, UserName } from '../../src/sandbox/index.js';
import { startOrganisation, until, type Organisation } from './rescind-fixture.js';

// A statement of an identity provider becomes a rule (design, section 4), and reaches tokens that the provider has never seen.

interface Held {
  readonly client: ClientName;
  readonly app: AppName;
  readonly accessToken: string;
}

const PATHS = { crm: '/contacts', files: '/documents' } as const;

describe('an event of the identity provider', () => {
  let organisation: Organisation;
  beforeAll(async () => {
    organisation = await startOrganisation('kafka');
    for (const user of ['alice', 'bob'] as const) {
      for (const client of ['atlas', 'wiki'] as const) await organisation.sandbox.signIn(user, client);
    }
  });
  afterAll(() => organisation.stop());

  const obtain = async (user: UserName, client: ClientName, app: AppName): Promise<Held> => ({
    client,
    app,
    accessToken: await organisation.obtain(user, client, app),
  });
  const call = async ({ client, app, accessToken }: Held): Promise<number> => {
    const response = await organisation.sandbox.clients[client].call(app, accessToken, 'GET', PATHS[app]);
    await response.body?.cancel();
    return response.status;
  };
  const untilRefused = (held: Held) => until(async () => ((await call(held)) === 401 ? true : undefined));
  /** A fresh token that is served; granted again and again, since what was granted within the skew of the lift stays revoked. */
  const untilServed = (user: UserName, client: ClientName, app: AppName) =>
    until(async () => {
      try {
        return (await call(await obtain(user, client, app))) === 200 ? true : undefined;
      } catch (error) {
        if ((error as { error?: string }).error === 'invalid_grant') return undefined;
        throw error;
      }
    });
  const refusalOf = async (work: Promise<unknown>): Promise<string> => {
    try {
      await work;
      return 'nothing was refused';
    } catch (error) {
      return String((error as { error?: string }).error);
    }
  };

  it('stops a disabled user at every application, until the user has a fresh grant', async () => {
    const { idp } = organisation.sandbox;
    const [agent, wiki, other] = [
      await obtain('bob', 'atlas', 'files'),
      await obtain('bob', 'wiki', 'crm'),
      await obtain('alice', 'atlas', 'files'),
    ];
    expect(await Promise.all([agent, wiki, other].map(call))).toEqual([200, 200, 200]);

    await idp.disableUser('bob');
    await untilRefused(agent);
    expect(await Promise.all([agent, wiki, other].map(call))).toEqual([401, 401, 200]);

    await idp.enableUser('bob');
    await untilServed('bob', 'atlas', 'files');
    expect(await call(agent)).toBe(401);
  });

  it('stops a deleted connection, and does not stop the agent elsewhere', async () => {
    const { idp, apps } = organisation.sandbox;
    const [cut, kept] = [await obtain('alice', 'atlas', 'crm'), await obtain('alice', 'atlas', 'files')];
    await idp.deleteConnection('atlas', apps.crm.issuer);
    await untilRefused(cut);
    expect(await call(kept)).toBe(200);
    expect(await refusalOf(obtain('alice', 'atlas', 'crm'))).toBe('invalid_target');

    await idp.createConnection({
      idpClientId: 'atlas',
      audience: apps.crm.issuer,
      resource: apps.crm.resource,
      clientId: 'atlas-at-crm',
      scopes: ['crm.read'],
      users: { alice: ['crm.read'] },
    });
    await untilServed('alice', 'atlas', 'crm');
    expect(await call(cut)).toBe(401);
  });

  it('stops the tokens of an ended session, at the IdP and beyond', async () => {
    const [ofSession, ofAnother] = [await obtain('alice', 'wiki', 'files'), await obtain('bob', 'wiki', 'files')];
    await organisation.sandbox.signOut('alice', 'wiki');
    await untilRefused(ofSession);
    expect(await call(ofAnother)).toBe(200);
    expect(await refusalOf(obtain('alice', 'wiki', 'files'))).toBe('invalid_request');
  });
});
