import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { RAS } from '../../support/stage.js';
import { createKafkaStage, numbered, saying, tokens, until, type KafkaStage } from './kafka-fixture.js';

let stage: KafkaStage;
beforeAll(async () => {
  stage = await createKafkaStage();
});
afterAll(() => stage.stop());

it('a source that sends more rule events than it may waits in Kafka; others go on, and nothing is lost', async () => {
  const [flooding, other] = [await stage.register(), await stage.register()];
  const revoked = (prefix: string, count: number) =>
    numbered(prefix, count).map((jti) => saying(flooding, 'token.revoked', { iss: RAS, jti, client_id: 'wiki' }, jti));
  // Ten seconds' worth come at once, and more in one submission; the rest waits until that is worked off.
  const process = await stage.startProcess({ source: 20, tenant: 1_000, standing: 100_000 });
  await stage.send(flooding, revoked('first', 300));
  await until(async () => (await stage.stored(flooding)) === 300);
  await stage.send(flooding, revoked('second', 50));
  await until(
    async () =>
      ((await process.measured(
        `rescind_rule_quota_waits_total{source="${flooding.name}",bound="source",door="kafka"}`,
      )) ?? 0) >= 1,
  );
  await stage.send(other, tokens(other, 'beside-1', 'beside-2'));
  await until(async () => (await stage.stored(other)) === 2);
  await until(async () => (await stage.stored(flooding)) === 350);
  const [{ n }] = (await stage.rows<{ n: number }>(
    `SELECT count(*)::int AS n FROM control_log WHERE kind = 'rule.ordered'`,
  )) as [{ n: number }];
  expect(n).toBe(350);
}, 120_000);
