import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { open, readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createCheckpointTopic } from '../../src/feeds/index.js';
import { checkDatabase } from '../../src/fsck/index.js';
import { createLedgerDirectory, readPublished, readTreeNodes } from '../../src/log/index.js';
import { parseCheckpoint, parseNote, rootOf } from '../../src/merkle/index.js';
import { createKafka } from '../../src/platform/kafka/index.js';
import { createLedgerWorld, LOG_ORIGIN, type LedgerWorld } from '../integration/log/ledger-fixture.js';
import { cleanUp } from '../support/cleanups.js';
import { testBrokers, testLog, uniqueName } from '../support/services.js';
import { canMount, smallDisk } from '../support/small-disk.js';

/** The steps of a turn of the keeper, in their order. */
const STEPS = ['hold', 'integrate', 'publish', 'keep in file', 'keep in topic', 'serve', 'published'] as const;
type Step = (typeof STEPS)[number];

interface Line {
  readonly step?: Step;
  readonly note?: string;
  readonly problem?: string;
}

const cleanups = cleanUp(afterEach);
let world: LedgerWorld;
let prefix: string;
/** The directory of the ledgers. */
let root: string;
/** Every checkpoint that any process signed, and every one that was served. */
let signed: string[];
let served: string[];

beforeEach(async () => {
  world = await createLedgerWorld();
  cleanups.push(() => world.stop());
  prefix = uniqueName('ledger');
  root = world.root;
  [signed, served] = [[], []];
});

/** Starts a process that keeps the ledgers. `shell`: a command that starts it, as `$0 "$@"`. */
function startKeeper({ stopAt, shell }: { stopAt?: Step; shell?: string } = {}) {
  const given = { url: world.url, root, brokers: testBrokers(), prefix, logOrigin: LOG_ORIGIN, stopAt };
  const program = [process.execPath, resolve('test/fault/ledger-process.mjs'), JSON.stringify(given)] as const;
  const [command, args] = shell === undefined ? [program[0], program.slice(1)] : ['sh', ['-c', shell, ...program]];
  const child: ChildProcess = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines: Line[] = [];
  createInterface({ input: child.stdout! }).on('line', (text) => {
    const line = JSON.parse(text) as Line;
    lines.push(line);
    if (line.note !== undefined) signed.push(line.note);
  });
  const ended = once(child, 'exit');
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  cleanups.push(kill);
  return {
    pid: child.pid!,
    kill,
    wake: () => void child.stdin!.write('\n'),
    async until(is: (line: Line) => boolean): Promise<void> {
      while (!lines.some(is)) {
        if (child.exitCode !== null) throw new Error(`the keeper ended with ${child.exitCode}`);
        await lookAtServed();
        await new Promise((wake) => setTimeout(wake, 5));
      }
      await lookAtServed();
    },
  };
}

async function lookAtServed(): Promise<void> {
  const published = await readPublished(world.pool, world.tenant);
  if (published && published.note !== served.at(-1)) served.push(published.note);
}

async function untilPublished(size: bigint): Promise<void> {
  while ((await world.publishedSize()) < size) {
    await lookAtServed();
    await new Promise((wake) => setTimeout(wake, 5));
  }
  await lookAtServed();
}

/** Checks that every checkpoint which was ever signed or served is one of the ledger as it stands, and that nothing served went back. */
async function expectOneHistory(): Promise<void> {
  const { pool, tenant } = world;
  for (const note of [...signed, ...served]) {
    const checkpoint = parseCheckpoint(parseNote(note)!.text)!;
    const nodes = readTreeNodes(pool, tenant, checkpoint.size);
    expect(checkpoint).toMatchObject({ root: await rootOf(checkpoint.size, nodes) });
  }
  const sizes = served.map((note) => parseCheckpoint(parseNote(note)!.text)!.size);
  expect(sizes).toEqual([...sizes].sort((one, other) => Number(one - other)));
  for (const note of served) expect(signed).toContain(note);
  const kafka = createKafka({ brokers: testBrokers(), clientId: 'spec', log: testLog() });
  const topic = createCheckpointTopic({ kafka, prefix });
  cleanups.push(() => topic.stop());
  expect(await checkDatabase({ pool, ledgerDir: root, topic })).toMatchObject([{ tenant, wrong: [] }]);
}

describe('a process that keeps ledgers', () => {
  it('may be killed between any two steps, one after the other', async () => {
    let size = 0n;
    for (const stopAt of [...STEPS, ...STEPS.toReversed()]) {
      await world.append(300);
      size += 300n;
      const before = await world.publishedSize();
      const doomed = startKeeper({ stopAt });
      await doomed.until(({ step }) => step === stopAt);
      expect(await world.publishedSize()).toBe(stopAt === 'published' ? size : before);
      await doomed.kill();
    }
    const last = startKeeper();
    await untilPublished(size);
    await last.kill();
    await expectOneHistory();
    expect(served).toHaveLength(3);
  }, 120_000);

  it('may be stopped between any two steps, and wake up beside another that has gone on', async () => {
    let size = 0n;
    for (const stopAt of STEPS) {
      await world.append(300);
      size += 300n;
      const stopped = startKeeper({ stopAt });
      await stopped.until(({ step }) => step === stopAt);
      // Its session is ended by the server, as of a process that stands still for too long.
      await world.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'fault-ledger'",
      );
      const other = startKeeper();
      await world.append(300);
      size += 300n;
      await untilPublished(size);
      stopped.wake();
      await world.append(1);
      size += 1n;
      await untilPublished(size);
      await Promise.all([stopped.kill(), other.kill()]);
    }
    await expectOneHistory();
  }, 120_000);

  it('may start beside another at once, on a ledger that has no key yet', async () => {
    await world.append(300);
    const keepers = [startKeeper(), startKeeper()];
    await untilPublished(300n);
    await keepers[0]!.kill();
    await world.append(1);
    await untilPublished(301n);
    await keepers[1]!.kill();
    await expectOneHistory();
    expect((await world.files()).filter((name) => !name.startsWith('checkpoint-'))).toEqual(['key']);
  }, 60_000);
});

describe('a directory that cannot be written to any more', () => {
  /** Waits for a failure. Nothing was served then, and no part of a file has the name of one. */
  async function expectNothingServed(keeper: ReturnType<typeof startKeeper>, problem: string): Promise<void> {
    await keeper.until((line) => line.problem === problem);
    // Each further try is of a checkpoint of its own.
    for (const before = signed.length; signed.length < before + 3; ) {
      await world.append(1);
      await keeper.until(() => true);
    }
    expect(await world.publishedSize()).toBe(0n);
    expect((await readdir(join(root, world.tenant))).filter((name) => name.includes('checkpoint')).length).toBeLessThan(
      2,
    );
  }

  it('because of a limit of the process keeps entries waiting, and nothing is served until it is lifted', async () => {
    await createLedgerDirectory(root).makeKey(world.tenant);
    await world.append(300);
    // The soft limit alone, which may be raised again.
    const keeper = startKeeper({ shell: 'ulimit -S -f 0 && exec "$0" "$@"' });
    await expectNothingServed(keeper, 'EFBIG');
    const lifted = spawn('prlimit', ['--fsize=unlimited', '--pid', String(keeper.pid)], { stdio: 'inherit' });
    expect(await once(lifted, 'exit')).toEqual([0, null]);
    await untilPublished(300n);
    await keeper.kill();
    await expectOneHistory();
  }, 60_000);

  (canMount ? it : it.skip)(
    'because its disk is full keeps entries waiting, and nothing is served until there is room',
    async () => {
      const disk = await smallDisk(1, world.root);
      cleanups.push(() => disk.remove());
      root = disk.directory;
      await createLedgerDirectory(root).makeKey(world.tenant);
      const ballast = await open(join(root, 'ballast'), 'w');
      await expect(ballast.writeFile(Buffer.alloc(2 * 1024 * 1024))).rejects.toMatchObject({ code: 'ENOSPC' });
      await ballast.close();
      await world.append(300);
      const keeper = startKeeper();
      await expectNothingServed(keeper, 'ENOSPC');
      await rm(join(root, 'ballast'));
      await untilPublished(300n);
      await keeper.kill();
      await expectOneHistory();
    },
    60_000,
  );
});
