import { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { run } from '../../../src/cli/run.js';
import type { IntakeResult, TokenIssued } from '../../../src/contracts/index.js';
import { buildEvent, createHttpEmitter } from '../../../src/emit/index.js';
import type { RunningRescind } from '../../../src/main.js';
import { createRescindAdmin, type RescindAdmin } from '../../../src/sandbox/index.js';
import { makeKey, signJwt } from '../../conformance/signing.js';
import { cleanUp } from '../../support/cleanups.js';
import { startOwnRescind } from '../../support/rescind.js';
import type { TestDatabase } from '../../support/services.js';

const RAS = 'https://login.chat.example';
const API = 'https://api.chat.example';
const key = makeKey('ES256', 'ras-1');

describe('a token that is recorded and never active', () => {
  let database: TestDatabase;
  let home: string;
  let rescind: RunningRescind;
  let admin: RescindAdmin;
  let secrets: { emit: string; ask: string };

  const cleanups = cleanUp(afterAll);
  beforeAll(async () => {
    ({ rescind, database, home } = await startOwnRescind(cleanups));
    admin = createRescindAdmin(rescind.url, rescind.adminKey!);
    await admin.post('/v1/sources', {
      name: 'chat',
      uri: RAS,
      types: ['token.issued'],
      issuers: [RAS],
      resources: [API],
      jwks: { keys: [key.jwk] },
      profile: { lineage: 'none' },
    });
    const secretOf = async (id: string, roles: object): Promise<string> =>
      (await admin.post<{ secret: string }>('/v1/callers', { id, roles })).secret;
    secrets = {
      emit: await secretOf('producer', { emit: { sources: ['chat'] } }),
      ask: await secretOf('api', { introspect: { resources: [API], issuers: [RAS] } }),
    };
  });

  let issued = 0;
  /** A token whose event and text say the same, but for what is given. */
  async function issue(over: {
    readonly facts?: Partial<TokenIssued>;
    readonly claims?: object;
    readonly header?: object;
  }): Promise<{ facts: TokenIssued; text: string; result: IntakeResult }> {
    const iat = Math.floor(Date.now() / 1000);
    const facts: TokenIssued = {
      kind: 'access',
      iss: RAS,
      jti: `at-${issued++}`,
      sub: 'alice',
      client_id: 'wiki',
      aud: [API],
      scope: 'chat.read',
      iat,
      exp: iat + 900,
      ...over.facts,
    };
    const [result] = await createHttpEmitter({ url: rescind.url, credentials: { bearer: secrets.emit } }).emit([
      buildEvent('token.issued', { source: RAS, data: facts }),
    ]);
    return { facts, text: signJwt(key, { ...facts, aud: API, ...over.claims }, over.header), result: result! };
  }

  async function isActive(token: string): Promise<boolean> {
    const response = await fetch(new URL('/introspect', rescind.url), {
      method: 'POST',
      headers: { authorization: `Bearer ${secrets.ask}`, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ token }).toString(),
    });
    return ((await response.json()) as { active: boolean }).active;
  }

  const inactive = async (): Promise<any[]> =>
    (await admin.get<{ inactive: any[] }>('/v1/sources/chat/check')).inactive;
  /** Counts are written a moment after the answer. */
  async function untilCounted(reason: string, member: string | null, count: number): Promise<any> {
    for (;;) {
      const found = (await inactive()).find((one) => one.reason === reason && one.member === member);
      if (found !== undefined && found.count >= count) return found;
      await delay(50);
    }
  }
  const tokenOf = ({ iss, jti }: TokenIssued): Promise<any> =>
    admin.get(`/v1/tokens?${new URLSearchParams({ iss, jti: jti! })}`);

  async function sourceCheck(): Promise<string> {
    const written: string[] = [];
    const sink = (): Writable =>
      new Writable({ write: (chunk: Buffer, _, done) => (written.push(chunk.toString()), done()) });
    expect(
      await run(['source', 'check', 'chat'], {
        env: { RESCIND_HOME: home },
        out: sink(),
        err: sink(),
        stdin: Readable.from(['']),
      }),
    ).toBe(0);
    return written.join('');
  }

  it('would be active as long as nothing speaks against it', async () => {
    const { facts, text, result } = await issue({});
    expect(result).not.toHaveProperty('warnings');
    expect(await isActive(text)).toBe(true);
    expect(await tokenOf(facts)).toMatchObject({ would_be_active: true, because: [] });
    expect(await inactive()).toEqual([]);
    expect(await sourceCheck()).toMatch(/^Tokens that are recorded and not active, by reason \(0\)\n {2}none$/m);
  });

  it('gets a warning at once, and a reason from its facts, if it lives too long', async () => {
    const { facts, text, result } = await issue({ facts: { exp: Math.floor(Date.now() / 1000) + 90_000 } });
    expect(result).toMatchObject({ state: 'sequenced', warnings: [{ code: 'lifetime-too-long' }] });
    expect(await isActive(text)).toBe(false);
    expect(await tokenOf(facts)).toMatchObject({
      would_be_active: false,
      because: [{ reason: 'lifetime-too-long', member: null, last: null }],
    });
    await untilCounted('lifetime-too-long', null, 1);
  });

  it.each([
    ['states another scope', { claims: { scope: 'chat.admin' } }, 'mismatch', 'scope'],
    ['states another client', { claims: { client_id: 'other' } }, 'mismatch', 'client_id'],
    ['has a header that the profile does not take', { header: { typ: 'JWT' } }, 'unverified', 'typ'],
  ] as const)('is reported with the differing member if its text %s', async (_, over, reason, member) => {
    const { facts, text } = await issue(over);
    expect([await isActive(text), await isActive(text)]).toEqual([false, false]);
    const { token } = await untilCounted(reason, member, 2);
    const told = await tokenOf(facts);
    expect(told).toMatchObject({
      id: token,
      would_be_active: false,
      because: [{ reason, member, says: expect.any(String), last: expect.any(String) }],
    });
    const shown = await sourceCheck();
    expect(shown).toMatch(
      new RegExp(`^ {2}\\d\\. Recorded tokens are not active, ${reason}, ${member} \\(asked 2 times\\): `, 'm'),
    );
    expect(shown).toMatch(new RegExp(`^ {2}${reason} +${member} +2× +20\\S+Z +${token}$`, 'm'));
  });

  it('is reported without a judgement if its text does not verify, because that text may be forged', async () => {
    const { facts } = await issue({});
    expect(await isActive(signJwt(makeKey('ES256', 'ras-1'), { ...facts, aud: API }))).toBe(false);
    await untilCounted('unverified', 'signature', 1);
    expect(await tokenOf(facts)).toMatchObject({
      would_be_active: null,
      because: [{ reason: 'unverified', member: 'signature' }],
    });
  });

  it('is counted with all others, and the table names at most 64 tokens for a reason', async () => {
    const texts = await Promise.all(
      Array.from({ length: 200 }, async () => (await issue({ claims: { sub: 'bob' } })).text),
    );
    for (const text of texts) expect(await isActive(text)).toBe(false);
    expect(await untilCounted('mismatch', 'sub', 200)).toMatchObject({ count: 200 });
    const { rows } = await database.pool.query(`SELECT count(*)::int AS n FROM refused_token WHERE member = 'sub'`);
    expect(rows[0].n).toBeLessThanOrEqual(64);
  });
});
