import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventType, type TokenIssued, type TokenSeen } from '../../../src/contracts/index.js';
import { createAppender, createSeenTokenRecorder, type Appender } from '../../../src/ingest/index.js';
import { createMetrics } from '../../../src/platform/observe/index.js';
import { testLog } from '../../support/services.js';
import { createStage, fromChat, token, type Stage } from '../../support/stage.js';
import { differing, rebuild } from '../projections/rebuild-fixture.js';

describe('a token that Rescind saw first', () => {
  let stage: Stage;
  /** The appender of a process that takes no events. */
  let own: Appender;
  beforeAll(async () => {
    stage = await createStage();
    const { id, types, issuers, resources, name } = stage.chat;
    await stage.registry.updateSource({ id: 'admin', tenant: stage.tenant }, name, {
      types,
      issuers,
      resources,
      profile: { lineage: 'none', announced: 'optional' },
    });
    expect(stage.follower.state.source(id)!.profile.announced).toBe('optional');
    own = createAppender({
      pool: stage.database.pool,
      controlLog: stage.controlLog,
      follower: stage.follower,
      log: testLog(),
      metrics: createMetrics(),
      paysOwed: false,
    });
  });
  afterAll(async () => {
    await own.stop();
    await stage.stop();
  });

  const facts = (jti: string, over: Partial<TokenIssued> = {}): TokenIssued => ({
    ...token({ jti }),
    id_jag: undefined,
    ...over,
  });
  const seenAs = ({ kind: _kind, id_jag: _idJag, ...said }: TokenIssued): TokenSeen =>
    JSON.parse(JSON.stringify({ source: stage.chat.id, ...said })) as TokenSeen;
  const record = (data: TokenSeen, appender = stage.appender, now = Date.now()): Promise<boolean> =>
    createSeenTokenRecorder({ state: stage.follower.state, appender, now: () => now })({
      tenant: stage.tenant,
      key: `key-of-${data.jti}`,
      data,
    });
  const rowsOf = async (jti: string) =>
    (
      await stage.database.pool.query<{ scope: string; conflict_ix: string | null }>(
        "SELECT facts ->> 'scope' AS scope, conflict_ix FROM token WHERE facts ->> 'jti' = $1",
        [jti],
      )
    ).rows;
  const entries = async (): Promise<number> =>
    (await stage.database.pool.query('SELECT FROM entry WHERE type = $1', [eventType('token.seen')])).rowCount!;

  it('is one entry, whatever times the nodes report, and whichever appender writes it', async () => {
    const data = seenAs(facts('at-once'));
    const before = await entries();
    expect(
      await Promise.all([
        record(data),
        record(data, own, Date.now() - 1_000),
        record(data, stage.appender, Date.now() - 2_000),
      ]),
    ).toEqual([true, true, true]);
    expect(await record(data, own)).toBe(true);
    expect([await entries(), await rowsOf('at-once')]).toEqual([
      before + 1,
      [{ scope: 'chat.read', conflict_ix: null }],
    ]);
  });

  it('contradicts nothing that an event said before it', async () => {
    await stage.emit(fromChat('token.issued', facts('at-before')));
    expect(await record(seenAs(facts('at-before', { scope: 'seen' })))).toBe(true);
    expect(await rowsOf('at-before')).toEqual([{ scope: 'chat.read', conflict_ix: null }]);
  });

  it('is contradicted by an event with other facts, and by no event with the same facts', async () => {
    const said = facts('at-same');
    await record(seenAs(said));
    await record(seenAs(facts('at-else')));
    await stage.emit(
      fromChat('token.issued', said),
      fromChat('token.issued', facts('at-else', { scope: 'chat.write' })),
    );
    expect([await rowsOf('at-same'), await rowsOf('at-else')]).toEqual([
      [{ scope: 'chat.read', conflict_ix: null }],
      [{ scope: 'chat.read', conflict_ix: expect.any(String) }],
    ]);
  });

  it.each<[string, Partial<TokenSeen>]>([
    ['an issuer that its source does not speak for', { iss: 'https://elsewhere.example' }],
    ['a resource that its source does not have', { aud: ['https://elsewhere.example'] }],
    ['a source that asks for events', { source: 'idp' }],
    ['two identities', { signing_input_sha256: 'A'.repeat(43) }],
    ['a member that nobody knows', { tenant: 'acme' } as object],
    ['a lone surrogate', { sub: '\ud800' }],
    ['a token as its user', { sub: 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ1In0.c2ln' }],
  ])('is refused with %s', async (_, over) => {
    const before = await entries();
    const source = over.source === 'idp' ? stage.idp.id : stage.chat.id;
    expect([await record({ ...seenAs(facts('at-refused')), ...over, source }), await entries()]).toEqual([
      false,
      before,
    ]);
  });

  it('is the same after a rebuild', async () => expect(differing(await rebuild(stage))).toEqual({}));
});
