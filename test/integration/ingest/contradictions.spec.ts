import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Command, ControlLog } from '../../../src/control/index.js';
import {
  createAppender,
  createIntake,
  createRuleQuota,
  type Appender,
  type Intake,
} from '../../../src/ingest/index.js';
import { createMetrics } from '../../../src/platform/observe/index.js';
import { testLog } from '../../support/services.js';
import { createStage, fromChat, fromIdp, idJag, token, type Stage } from '../../support/stage.js';
import { testSignatures } from '../../support/signatures.js';

let stage: Stage;
beforeAll(async () => {
  stage = await createStage();
});
afterAll(() => stage.stop());

let appender: Appender | undefined;
afterEach(async () => {
  await appender?.stop();
  appender = undefined;
});

/** An appender of its own, whose control log counts what it is given, holds it back, or loses its connection. */
async function start(
  how: { hold?: Promise<void>; fail?: boolean } = {},
): Promise<{ ordered: Command[]; intake: Intake; started: Promise<void> }> {
  const ordered: Command[] = [];
  const controlLog: ControlLog = {
    ...stage.controlLog,
    async append(command) {
      ordered.push(command);
      await how.hold;
      if (how.fail) throw new Error('no connection');
      return stage.controlLog.append(command);
    },
  };
  appender = createAppender({
    pool: stage.database.pool,
    controlLog,
    follower: stage.follower,
    log: testLog(),
    metrics: createMetrics(),
  });
  const started = appender.start();
  return {
    ordered,
    intake: createIntake({
      follower: stage.follower,
      appender,
      ruleQuota: createRuleQuota({ state: stage.follower.state, metrics: createMetrics() }),
      signatures: testSignatures({ pool: stage.database.pool, follower: stage.follower, appender }),
    }),
    started,
  };
}

async function say(intake: Intake, ...events: object[]): Promise<readonly unknown[]> {
  const answer = await intake.take({
    contentType: 'application/cloudevents-batch+json',
    body: Buffer.from(JSON.stringify(events)),
    caller: stage.caller,
  });
  return 'batch' in answer ? answer.batch : [answer.single];
}

const issued = (jti: string, scope = 'chat.read') => fromChat('token.issued', token({ jti, scope }));
const ordersOf = async (jti: string): Promise<number> =>
  (
    await stage.database.pool.query(
      `SELECT 1 FROM control_log WHERE kind = 'rule.ordered' AND body -> 'selector' -> 'token' ->> 'jti' = $1`,
      [jti],
    )
  ).rows.length;
const owed = async (): Promise<number> =>
  (await stage.database.pool.query('SELECT 1 FROM contradiction_owed')).rows.length;

describe('a contradiction between events', () => {
  it('orders its rule once, whatever contradictions came before', async () => {
    const { ordered, intake, started } = await start();
    await started;
    const names = Array.from({ length: 20 }, (_, n) => `many-${n}`);
    await say(intake, ...names.map((name) => issued(name)));
    await say(intake, ...names.map((name) => issued(name, 'chat.admin')));
    expect(ordered).toHaveLength(20);
    await say(intake, issued('one'), issued('one', 'chat.admin'));
    expect(ordered).toHaveLength(21);
    // Again, also by a third content: it is stopped already.
    await say(intake, issued('one', 'chat.write'));
    expect(ordered).toHaveLength(21);
    expect([await ordersOf('many-0'), await ordersOf('one'), await owed()]).toEqual([1, 1, 0]);
  });

  it('does not order the rule again at a start', async () => {
    const { ordered, intake, started } = await start();
    await started;
    await say(intake, fromIdp('id-jag.issued', idJag({ jti: 'after-start' })));
    expect(ordered).toEqual([]);
  });

  it('orders the rule at the start after a crash in between', async () => {
    const broken = await start({ fail: true });
    await broken.started;
    await say(broken.intake, issued('crash'));
    await expect(say(broken.intake, issued('crash', 'chat.admin'))).rejects.toMatchObject({
      code: 'database-unavailable',
    });
    expect([await ordersOf('crash'), await owed()]).toEqual([0, 1]);
    await appender!.stop();
    const { ordered, started } = await start();
    await started;
    expect(ordered).toHaveLength(1);
    expect([await ordersOf('crash'), await owed()]).toEqual([1, 0]);
  });

  it('delays the answer to its own sender, and nobody else’s', async () => {
    let go = (): void => undefined;
    const { intake, started } = await start({ hold: new Promise((resolve) => (go = resolve)) });
    await started;
    await say(intake, issued('held'));
    let answered = false;
    const contradicting = say(intake, issued('held', 'chat.admin')).then((results) => ((answered = true), results));
    expect(await say(intake, fromIdp('id-jag.issued', idJag({ jti: 'beside-held' })))).toEqual([
      { index: expect.any(String), state: 'sequenced' },
    ]);
    expect(answered).toBe(false);
    go();
    expect(await contradicting).toEqual([{ index: expect.any(String), state: 'sequenced' }]);
    expect(await ordersOf('held')).toBe(1);
  });
});
