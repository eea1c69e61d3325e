import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { NewControlRecord } from '../../../src/control/index.js';
import { controlTopic, revocationsTopic } from '../../../src/feeds/index.js';
import { ensureTopics } from '../../../src/platform/kafka/topics.kafka.js';
import { selectorKey, ruleKeyToBytes, splitSelectorKey } from '../../../src/rules/index.js';
import {
  blockOf,
  createWorld,
  firstTold,
  held,
  KEY,
  lifted,
  numbers,
  rule,
  seqOf,
  TENANT,
  tenantRecord,
  until,
  type World,
} from './topics-fixture.js';

const SECONDS = (): number => Math.floor(Date.now() / 1000);

let world: World;
beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.end());

describe('the topic of control records', () => {
  it('has every record in seq order, older records and those that came during publishing', async () => {
    await world.append(tenantRecord(), ...numbers(700).map((nth) => blockOf(`u-${nth}`)));
    await world.feed();
    for (const nth of numbers(40)) await world.append(blockOf(`v-${nth}`));
    await world.published();
    expect(await world.controlSeqs()).toEqual(numbers(741));
    const stored = await world.controlLog.readRange(1n as never, 741n as never);
    expect(await world.controlCopies()).toEqual(stored.map((record) => ({ record, commands: [] })));
  });

  it('carries the keys that make a command apply once', async () => {
    await world.controlLog.append({
      records: [tenantRecord(), blockOf('alice')],
      once: { key: ['spec'], content: 'x' },
    });
    await world.feed();
    await world.published();
    const [first, second] = await world.controlCopies();
    expect(first!.commands).toEqual([
      {
        key: expect.stringMatching(/^[0-9a-f]{64}$/),
        hash: expect.stringMatching(/^[0-9a-f]{64}$/),
        last_seq: '2',
        kept_until: null,
      },
    ]);
    expect(second!.commands).toEqual([]);
  });

  it('shows nothing to a reader without its key: no name, no digest of a secret, no key of a tenant', async () => {
    const caller = {
      id: 'the-app',
      roles: { audit: {} },
      secrets: [{ id: 's', sha256: Buffer.alloc(32, 5).toString('base64url'), created_at: 1 }],
      disabled: false,
    };
    await world.append(tenantRecord(), blockOf('alice'), {
      kind: 'caller.changed',
      tenant: TENANT,
      subject: 'the-app',
      body: caller,
    });
    await world.feed();
    await world.published();
    const shown = (await world.control())
      .map(({ key, value, headers }) => `${key} ${value!.toString('latin1')} ${JSON.stringify(headers)}`)
      .join();
    const names = ['alice', 'the-app', 'acme', 'a secret reason', KEY.toString('base64url'), caller.secrets[0]!.sha256];
    expect(JSON.stringify((await world.controlCopies()).map(({ record }) => record.body))).toContain('alice');
    for (const name of names) expect(shown).not.toContain(name);
  });

  it('has one partition and is never compacted or shortened, while a tenant’s topic is compacted', async () => {
    await world.append(tenantRecord(), blockOf('alice'));
    await world.feed();
    await world.published();
    const admin = world.client.admin();
    await admin.connect();
    world.onEnd(() => admin.disconnect());
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [controlTopic(world.prefix), revocationsTopic(world.prefix, 'acme')].map((name) => ({
        type: 2,
        name,
      })),
    });
    const settings = resources.map(({ configEntries }) =>
      Object.fromEntries(configEntries.map(({ configName, configValue }) => [configName, configValue])),
    );
    expect(settings[0]).toMatchObject({ 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1' });
    expect(settings[1]).toMatchObject({ 'cleanup.policy': 'compact' });
    const { topics } = await admin.fetchTopicMetadata({
      topics: [controlTopic(world.prefix), revocationsTopic(world.prefix, 'acme')],
    });
    expect(topics.map(({ partitions }) => partitions.length)).toEqual([1, 1]);
  });
});

describe('a tenant`s topic', () => {
  const bytes = async (tenant?: string): Promise<string> =>
    (await world.revocations(tenant))
      .map(
        ({ key, value, headers }) =>
          `${key} ${String(value)} ${JSON.stringify(Object.entries(headers).map(([name, one]) => [name, String(one)]))}`,
      )
      .join('\n');

  it('has its rules as keys, under their ids, and no name', async () => {
    const selector = {
      user: { iss: 'https://idp.example', tenant: 'org-9', sub: 'alice' },
      client: { iss: 'https://ras.example', client_id: 'wiki' },
    } as const;
    const block = rule(selector, { until: SECONDS() + 600, resume: true });
    const revoke = rule(
      { agent_type: 'assistant' },
      { effect: 'revoke', reauthenticate: true, author: { caller: 'the-analyst', on_behalf_of: 'carol' } },
    );
    await world.append(tenantRecord(), block, revoke);
    await world.feed();
    await world.published();
    const rules = held(await world.revocations());
    const keys = Object.fromEntries(
      splitSelectorKey(selectorKey(KEY, selector)).map(([dimension, key]) => [
        dimension,
        ruleKeyToBytes(key).toString('base64url'),
      ]),
    );
    expect(rules.get(block.subject)).toEqual({
      id: block.subject,
      seq: '2',
      effect: 'block',
      shape: ['user', 'client'],
      keys,
      until: block.body.until,
      resume: true,
      dead_from: expect.any(Number),
    });
    expect(rules.get(revoke.subject)).toEqual({
      id: revoke.subject,
      seq: '3',
      effect: 'revoke',
      shape: ['agent_type'],
      keys: { agent_type: expect.stringMatching(/^[A-Za-z0-9_-]{22}$/) },
      before: expect.any(Number),
      as_of_order: true,
      reauthenticate: true,
      dead_from: null,
    });
    const said = await bytes();
    for (const id of [block.subject, revoke.subject]) expect(said).toContain(id);
    for (const name of [
      'alice',
      'org-9',
      'wiki',
      'assistant',
      'idp.example',
      'ras.example',
      'the-analyst',
      'carol',
      'secret reason',
      KEY.toString('base64url'),
    ])
      expect(said).not.toContain(name);
  });

  it('marks a lifted rule by a tombstone, after a record for the revoke that the lift ordered', async () => {
    const block = blockOf('alice');
    const after = blockOf('alice', { effect: 'revoke', after_lift_of: block.subject });
    await world.append(tenantRecord(), block);
    await world.feed();
    await world.published();
    expect([...held(await world.revocations()).keys()]).toEqual([block.subject]);
    await world.append(after, lifted(block.subject));
    await world.published();
    const records = firstTold(await world.revocations());
    expect(records.slice(1).map((record) => [record.key, record.value === null, seqOf(record)])).toEqual([
      [after.subject, false, 3],
      [block.subject, true, 4],
    ]);
  });

  it('says that an enabling event turned only its source’s blocks into revokes', async () => {
    const at = Date.now() - 60_000;
    const origin = (source: string, event: string, moment: number) => ({ origin: { source, event, at: moment } });
    const blocks = [
      blockOf('alice', origin('s-1', 'e-1', at)),
      blockOf('alice', origin('s-2', 'e-2', at)),
      blockOf('alice'),
    ];
    const { shape, key } = blocks[0]!.body;
    const enabled: NewControlRecord = {
      kind: 'subject.enabled',
      tenant: TENANT,
      subject: randomUUID(),
      body: { shape, key, origin: { source: 's-1', event: 'e-3', at: at + 5_000 } },
    };
    await world.append(tenantRecord(), ...blocks);
    await world.feed();
    await world.published();
    await world.append(enabled);
    await world.published();
    const rules = held(await world.revocations());
    expect(blocks.map(({ subject }) => rules.get(subject)!['effect'])).toEqual(['revoke', 'block', 'block']);
    expect(rules.get(blocks[0]!.subject)).toMatchObject({
      before: Math.floor((at + 5_000) / 1000),
      as_of_order: false,
    });
    expect((await world.revocations()).filter((record) => seqOf(record) === 5).map(({ key: id }) => id)).toEqual([
      blocks[0]!.subject,
    ]);
  });

  it('belongs to the tenant alone, and begins when the tenant is registered', async () => {
    const other = '00000000-0000-4000-8000-000000000002';
    await world.append(tenantRecord(), blockOf('alice'));
    await world.feed();
    await world.published();
    await world.append(tenantRecord(other, 'globex'), { ...blockOf('bob'), tenant: other });
    await world.published();
    expect((await world.revocations()).map(seqOf)).toEqual([2]);
    expect((await world.revocations('globex')).map(seqOf)).toEqual([4]);
  });

  it('gets a tombstone for a rule that died without a record, and for none that lives', async () => {
    const dead = blockOf('alice', { effect: 'revoke', before: SECONDS() - 60 });
    const living = blockOf('bob');
    await world.append(tenantRecord(), dead, living);
    let now = Date.now();
    await world.feed({ sweepMs: 86_400_000, now: () => now });
    await world.published();
    expect(held(await world.revocations()).size).toBe(2);
    now += 60 * 86_400_000;
    await until('the dead one is gone', async () => held(await world.revocations()).size === 1);
    expect([...held(await world.revocations()).keys()]).toEqual([living.subject]);
  });

  it('can be read completely after compaction, even if a batch has lost its last records', async () => {
    const topic = revocationsTopic(world.prefix, 'acme');
    const admin = world.client.admin();
    await admin.connect();
    world.onEnd(() => admin.disconnect());
    const config = {
      'cleanup.policy': 'compact',
      'segment.ms': '100',
      'min.cleanable.dirty.ratio': '0.001',
      'delete.retention.ms': '1000000',
    };
    await ensureTopics(admin, [{ topic, partitions: 1, config }]);
    const staying = [blockOf('alice'), blockOf('bob')];
    const passing = numbers(30).map((nth) => blockOf(`u-${nth}`));
    await world.append(tenantRecord(), staying[0]!, ...passing);
    await world.feed();
    await world.published();
    for (const { subject } of passing) await world.append(lifted(subject));
    await world.append(staying[1]!);
    await world.published();
    const [all, expected] = [62, staying.map(({ subject }) => subject)];
    await until('it is compacted', async () => {
      const records = await world.revocations();
      expect([...held(records).keys()]).toEqual(expected);
      // A segment is closed by what comes after it.
      await world.append(tenantRecord(), rule({ agent_type: 'x' }, { effect: 'revoke', before: 1 }));
      return records.filter(({ key }) => staying.concat(passing).some(({ subject }) => subject === key)).length < all;
    });
    expect((await world.revocations()).at(-1)?.value).toBeNull();
  }, 120_000);
});
