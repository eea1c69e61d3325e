import { afterEach, describe, expect, it } from '@jest/globals';
import {
  createLedgerWitnesses,
  listKeys,
  listWitnesses,
  originOf,
  createProver,
  readPublished,
  readWitnesses,
  verifiersOf,
} from '../../../src/log/index.js';
import { cosignedAt, findSigners, formatVerifierKey, parseCheckpoint, parseNote } from '../../../src/merkle/index.js';
import { createMetrics } from '../../../src/platform/observe/index.js';
import { cleanUp } from '../../support/cleanups.js';
import { testLog } from '../../support/services.js';
import { createLedgerWorld, LOG_ORIGIN } from './ledger-fixture.js';
import { startWitness, type Behaviour, type WitnessServer } from './witness-server.js';

const cleanups = cleanUp(afterEach);

async function start(...names: readonly string[]) {
  const world = await createLedgerWorld();
  cleanups.push(() => world.stop());
  const { pool, tenant } = world;
  const logKeys = async () => verifiersOf(await listKeys(pool, tenant), originOf(LOG_ORIGIN, tenant, 1));
  const servers: WitnessServer[] = [];
  for (const name of names) {
    const server = await startWitness(name, logKeys);
    cleanups.push(() => server.stop());
    servers.push(server);
  }
  world.keeper();
  const ask = () => {
    const sut = createLedgerWitnesses({
      pool,
      witnesses: servers.map(({ witness }) => witness),
      log: testLog(),
      metrics: createMetrics({}),
      askEveryMs: 20,
    });
    cleanups.push(() => sut.stop());
    sut.start();
    return sut;
  };
  const witnessed = async () => (await readPublished(pool, tenant))?.witnessed;
  async function untilWitnessed(size: bigint): Promise<void> {
    while ((await witnessed())?.size !== size) await new Promise((resolve) => setTimeout(resolve, 10));
  }
  async function grow(count: number, size: bigint): Promise<void> {
    await world.append(count);
    await world.untilPublished(size);
  }
  /** Names of the witnesses that cosigned a note. */
  const cosigners = (note: string) =>
    [
      ...findSigners(
        parseNote(note)!,
        servers.map(({ witness }) => witness.key),
      )!.keys(),
    ]
      .map(({ name }) => name)
      .sort();
  return { world, servers, ask, grow, untilWitnessed, witnessed, cosigners };
}

it('witnesses follow a growing ledger, and their cosignatures are served in the checkpoint and in proofs', async () => {
  const { world, servers, ask, grow, untilWitnessed, cosigners } = await start('w.example/1', 'w.example/2');
  const { pool, tenant } = world;
  await grow(5, 5n);
  expect((await readPublished(pool, tenant))!.witnessed).toBeUndefined();
  ask();
  await untilWitnessed(5n);
  await grow(700, 705n);
  await untilWitnessed(705n);
  expect(await listWitnesses(pool, tenant, 1)).toEqual(
    ['w.example/1', 'w.example/2'].map((name) => ({ name, size: 705n, at: expect.any(Date) })),
  );
  const { note } = (await readPublished(pool, tenant))!;
  expect(cosigners(note)).toEqual(['w.example/1', 'w.example/2']);
  expect(cosigners((await (await createProver(pool, tenant))(3n))!.checkpoint)).toEqual(['w.example/1', 'w.example/2']);
  expect(cosignedAt(parseNote(note)!.signatures.at(-1)!.signature)).toBe(1_790_000_000n);
  for (const { seen, statuses } of servers) {
    expect([...seen.values()].map(({ size }) => size)).toEqual([705n]);
    expect(new Set(statuses)).toEqual(new Set([200]));
  }
});

it('a process that does not know what a witness has seen asks again with the proof that it wants', async () => {
  const { servers, ask, grow, untilWitnessed } = await start('w.example/1');
  await grow(5, 5n);
  const first = ask();
  await untilWitnessed(5n);
  await first.stop();
  await grow(300, 305n);
  ask();
  await untilWitnessed(305n);
  expect(servers[0]!.statuses).toEqual([200, 409, 200]);
});

it('each witness is listed with the size that it cosigned, as long as it is asked', async () => {
  const { world, servers, ask, grow, untilWitnessed } = await start('w.example/1', 'w.example/2');
  const listed = async () =>
    (await listWitnesses(world.pool, world.tenant, 1)).map(({ name, size }) => [name, size] as const);
  await grow(5, 5n);
  const first = ask();
  await untilWitnessed(5n);
  servers[1]!.behaviour = 'fails';
  await grow(300, 305n);
  await untilWitnessed(305n);
  expect(await listed()).toEqual([
    ['w.example/1', 305n],
    ['w.example/2', 5n],
  ]);
  await first.stop();
  await servers.pop()!.stop();
  await grow(1, 306n);
  ask();
  await untilWitnessed(306n);
  expect(await listed()).toEqual([['w.example/1', 306n]]);
});

describe('a witness that', () => {
  it.each<Behaviour>(['lies', 'fails', 'wants-more', 'endless', 'redirects', 'hangs'])(
    '%s cosigns nothing, and delays neither publication nor another witness for long',
    async (behaviour) => {
      const { world, servers, ask, grow, untilWitnessed, cosigners } = await start('bad.example', 'good.example');
      servers[0]!.behaviour = behaviour;
      await grow(5, 5n);
      ask();
      await untilWitnessed(5n);
      const { note } = (await readPublished(world.pool, world.tenant))!;
      expect(cosigners(note)).toEqual(['good.example']);
      expect(await listWitnesses(world.pool, world.tenant, 1)).toEqual([
        { name: 'bad.example', size: 0n, at: null },
        { name: 'good.example', size: 5n, at: expect.any(Date) },
      ]);
      expect(parseCheckpoint(parseNote(note)!.text)!.size).toBe(5n);
      // Publication goes on whatever the witness does.
      await grow(1, 6n);
    },
    30_000,
  );

  it('alone fails leaves the ledger unwitnessed', async () => {
    const { servers, ask, grow, witnessed } = await start('bad.example');
    servers[0]!.behaviour = 'lies';
    await grow(5, 5n);
    ask();
    while (servers[0]!.statuses.length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(await witnessed()).toBeUndefined();
  });
});

describe('the file of witnesses', () => {
  it('has a line a witness', async () => {
    const { servers } = await start('w.example/1');
    const { key, url } = servers[0]!.witness;
    const line = `witness one ${formatVerifierKey(key)} ${url}/`;
    expect(readWitnesses(`# ours\n\n${line}\n`)).toEqual([{ key, url }]);
    for (const wrong of [
      line.replace('witness', 'log'),
      line.replace('one ', ''),
      line.replace(/\+[0-9a-f]{8}\+/, '+00000000+'),
      line.replace(/http:\S+/, 'http://witness.example/'),
      line.replace('http://', 'https://user:secret@'),
      `${line} more`,
    ])
      expect(() => readWitnesses(`\n${wrong}`)).toThrow(/^line 2 /);
  });
});
