import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { buildEvent } from '../../../src/emit/index.js';
import { createControlFollower, createControlLog, type ControlFollower } from '../../../src/control/index.js';
import { createAppender, createIntake, createRuleQuota, type Intake } from '../../../src/ingest/index.js';
import { createMetrics } from '../../../src/platform/observe/index.js';
import { createPool } from '../../../src/platform/postgres/index.js';
import { ADMIN_CALLER, createRegistry } from '../../../src/registry/index.js';
import { hold } from '../../support/hold.js';
import { testLog } from '../../support/services.js';
import { createStage, fromIdp, idJag, type Stage } from '../../support/stage.js';
import { createGate, until, type Gate } from '../control/control-fixture.js';
import { testSignatures } from '../../support/signatures.js';

const OTHER_IDP = 'https://idp.globex.example';

/** A second process on the stage's database, as far as it writes: a follower, an appender and connections of its own. */
interface OtherProcess {
  readonly follower: ControlFollower;
  /** Between the follower and the control log. */
  readonly gate: Gate;
  readonly intake: Intake;
  stop(): Promise<void>;
}

describe('two processes that write one ledger', () => {
  let stage: Stage;
  const processes: OtherProcess[] = [];
  beforeEach(async () => {
    stage = await createStage();
  });
  afterEach(async () => {
    for (const process of processes.splice(0)) await process.stop();
    await stage.stop();
  });

  async function startOther(): Promise<OtherProcess> {
    const pool = createPool({ url: stage.database.url, max: 4, applicationName: 'spec-other' });
    const controlLog = createControlLog({ pool });
    const gate = createGate(controlLog);
    const follower = createControlFollower({
      url: stage.database.url,
      controlLog: gate.log,
      log: testLog(),
      serves: false,
    });
    await follower.start();
    const appender = createAppender({ pool, controlLog, follower, log: testLog(), metrics: createMetrics() });
    await appender.start();
    const process: OtherProcess = {
      follower,
      gate,
      intake: createIntake({
        follower,
        appender,
        ruleQuota: createRuleQuota({ state: follower.state, metrics: createMetrics() }),
        signatures: testSignatures({ pool, follower, appender }),
      }),
      async stop() {
        gate.open();
        await appender.stop();
        await follower.stop();
        await pool.end();
      },
    };
    processes.push(process);
    return process;
  }

  const post = async (intake: Intake, jti: string): Promise<unknown> => {
    const body = Buffer.from(JSON.stringify(fromIdp('id-jag.issued', idJag({ jti }))));
    const answer = await intake.take({ contentType: 'application/cloudevents+json', body, caller: stage.caller });
    return 'single' in answer ? answer.single : answer;
  };
  const rows = async <T extends object>(sql: string): Promise<T[]> => (await stage.database.pool.query<T>(sql)).rows;

  it('take turns at its head: 50 batches of each at once leave it dense, and nothing is refused', async () => {
    const { intake } = await startOther();
    const ofOne = async (own: Intake, name: string): Promise<unknown[]> => {
      const answers: unknown[] = [];
      for (let n = 0; n < 50; n++) answers.push(await post(own, `${name}-${n}`));
      return answers;
    };
    const answers = (await Promise.all([ofOne(stage.intake, 'one'), ofOne(intake, 'two')])).flat();
    expect(answers.filter((one) => (one as { state?: string }).state !== 'sequenced')).toEqual([]);
    const [ledger] = await rows(
      `SELECT count(*) = max(ix) + 1 AND min(ix) = 0 AND max(ix) + 1 = (SELECT next_ix FROM ledger_head) AS dense, count(*) >= 100 AS whole FROM entry`,
    );
    expect([ledger, await rows('SELECT code FROM quarantine')]).toEqual([{ dense: true, whole: true }, []]);
  });

  it('wait for no other tenant: a ledger whose head is held stops neither the other process nor the other ledger', async () => {
    const { intake, follower } = await startOther();
    const registry = createRegistry({ controlLog: stage.controlLog, follower });
    const globex = await registry.createTenant({ id: ADMIN_CALLER, tenant: stage.tenant }, { name: 'globex' });
    const actor = { id: ADMIN_CALLER, tenant: globex.id };
    const source = {
      name: 'globex-idp',
      uri: `${OTHER_IDP}/events`,
      types: ['id-jag.issued'],
      issuers: [OTHER_IDP],
      resources: [],
    } as const;
    await registry.createSource(actor, source);
    await registry.createCaller(actor, { id: 'globex-emitter', roles: { emit: { sources: ['globex-idp'] } } });
    const caller = follower.state.caller('globex-emitter')!;
    const ofGlobex = async (jti: string): Promise<unknown> => {
      const event = buildEvent('id-jag.issued', { source: source.uri, data: idJag({ jti, iss: OTHER_IDP }) });
      return intake.take({
        contentType: 'application/cloudevents+json',
        body: Buffer.from(JSON.stringify(event)),
        caller,
      });
    };
    expect(await ofGlobex('first')).toMatchObject({ single: { state: 'sequenced' } });

    const letGo = await hold(
      stage.database.pool,
      `SELECT FROM ledger_head WHERE tenant = '${stage.tenant}' FOR UPDATE`,
    );
    const held = post(stage.intake, 'held');
    await until(
      'the held ledger is waited for',
      async () =>
        (await rows("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"))
          .length > 0,
    );
    expect(await ofGlobex('meanwhile')).toMatchObject({ single: { state: 'sequenced' } });

    const letGoToo = await hold(
      stage.database.pool,
      `SELECT FROM ledger_head WHERE tenant = '${globex.id}' FOR UPDATE`,
    );
    const heldToo = ofGlobex('held-too');
    await letGo();
    expect(await held).toMatchObject({ state: 'sequenced' });
    await letGoToo();
    expect(await heldToo).toMatchObject({ single: { state: 'sequenced' } });
  });

  it('give a control record its entry only after they have applied it', async () => {
    const behind = await startOther();
    await until(
      'all entries that are owed',
      async () => (await rows('SELECT 1 FROM control_outbox o, control_head h WHERE o.seq < h.seq')).length === 0,
    );
    // The other process has ended, so that the one that is behind alone writes entries.
    await stage.appender.stop();
    await stage.follower.stop();
    behind.gate.close();
    await until('the process that is behind is about to read', behind.gate.isReached);
    const body = {
      id: 'newcomer',
      roles: { audit: {} },
      secrets: [],
      disabled: false,
      author: { caller: ADMIN_CALLER },
      change: 'created',
    } as const;
    await stage.controlLog.append({
      records: [{ kind: 'caller.changed', tenant: stage.tenant, subject: 'newcomer', body }],
    });
    const entries = async (): Promise<number> =>
      (await rows(`SELECT 1 FROM entry WHERE type = 'dev.rescind.caller.changed.v1'`)).length;
    const before = await entries();
    expect(await post(behind.intake, 'meanwhile')).toMatchObject({ state: 'sequenced' });
    expect([behind.follower.state.caller('newcomer'), await entries()]).toEqual([undefined, before]);
    behind.gate.open();
    await until('the entry', async () => (await entries()) === before + 1);
  });
});
