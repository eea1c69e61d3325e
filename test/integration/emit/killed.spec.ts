import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createProducer, httpTransport } from '../../../src/emit/index.js';
import { startReceiver, type Receiver } from './receiver.js';

/** Time limit for thousands of events on disk and some starts of a process; their duration is not promised. */
const MANY_EVENTS_MS = 600_000;

const PROCESS = fileURLToPath(new URL('./spooling-process.mjs', import.meta.url));

describe('a process that is killed while it spools', () => {
  let directory: string;
  let receiver: Receiver;
  let broken: boolean;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-`));
    broken = true;
    receiver = await startReceiver({ behave: () => (broken ? 'unavailable' : 'take') });
  });
  afterEach(async () => {
    await receiver.stop();
    await rm(directory, { recursive: true });
  });

  /** Ids that the process said are safe before SIGKILL, sent when it has said `killAt` of them. */
  async function runAndKill(from: number, killAt: number, during: () => void = () => undefined): Promise<string[]> {
    const child = spawn(process.execPath, [PROCESS, receiver.url, directory, String(from), '100000'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const safe: string[] = [];
    const exited = new Promise((resolve) => child.once('exit', resolve));
    for await (const line of createInterface(child.stdout)) {
      const [what, id] = line.split(' ');
      expect(what).toBe('safe');
      safe.push(id!);
      if (safe.length === Math.floor(killAt / 2)) during();
      if (safe.length === killAt) child.kill('SIGKILL');
    }
    await exited;
    return safe;
  }

  it(
    'loses no event that it called safe, over several deaths, and its successors keep the order',
    async () => {
      const safe = [
        ...(await runAndKill(0, 700)),
        ...(await runAndKill(100_000, 37)),
        ...(await runAndKill(200_000, 2_500)),
      ];
      broken = false;
      const successor = createProducer({
        source: 'https://idp.example',
        transport: httpTransport({ url: receiver.url, credentials: { bearer: 'k' } }),
        spool: { directory },
        onDropped: ({ reason }) => {
          throw new Error(reason);
        },
        onRefused: () => undefined,
      });
      await successor.flush();
      const { recovered, delivered, dropped } = successor.stats();
      expect([delivered, dropped]).toEqual([recovered, 0]);
      await successor.close();
      const arrived = receiver.received.map(({ id }) => id);
      const known = new Set(arrived);
      expect(safe.filter((id) => !known.has(id))).toEqual([]);
      expect(arrived).toEqual([...arrived].sort((one, other) => Number(one) - Number(other)));
    },
    MANY_EVENTS_MS,
  );

  it(
    'loses none either while it delivers spooled events',
    async () => {
      const safe = await runAndKill(0, 6_000, () => {
        broken = false;
      });
      await runAndKill(100_000, 1);
      const successor = createProducer({
        source: 'https://idp.example',
        transport: httpTransport({ url: receiver.url, credentials: { bearer: 'k' } }),
        spool: { directory },
        onDropped: () => undefined,
        onRefused: () => undefined,
      });
      await successor.flush();
      expect(successor.stats().dropped).toBe(0);
      await successor.close();
      const arrived = new Set(receiver.received.map(({ id }) => id));
      expect(safe.filter((id) => !arrived.has(id))).toEqual([]);
    },
    MANY_EVENTS_MS,
  );

  it('keeps other processes out of its directory while it lives', async () => {
    const child = spawn(process.execPath, [PROCESS, receiver.url, directory, '0', '1'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const second = () =>
      createProducer({
        source: 'https://idp.example',
        transport: httpTransport({ url: receiver.url, credentials: { bearer: 'k' } }),
        spool: { directory },
        onDropped: () => undefined,
        onRefused: () => undefined,
      });
    expect(second).toThrow(
      expect.objectContaining({ code: 'config-invalid', detail: expect.stringContaining(`process ${child.pid} `) }),
    );
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await exited;
    broken = false;
    const heir = second();
    await heir.flush();
    await heir.close();
    expect(receiver.received).toHaveLength(1);
  });
});
