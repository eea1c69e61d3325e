import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { open as openFile, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import * as fc from 'fast-check';
import { openSpool, type Spool } from './spool.js';
import type { WaitingEvent } from './waiting-event.js';

const MiB = 1024 * 1024;
const everything = { maxEvents: 1_000_000, maxBytes: 1_000 * MiB };

const event = (seq: number, size = 20): WaitingEvent => {
  const text = JSON.stringify({ id: `e${seq}`, fill: 'ü'.repeat(size) });
  return { seq, acceptedAt: 1_790_000_000_000 + seq, text, bytes: Buffer.byteLength(text) };
};
const events = (from: number, to: number, size?: number) =>
  Array.from({ length: to - from + 1 }, (_, at) => event(from + at, size));

describe('spool', () => {
  let directory: string;
  let damaged: number;
  let open: Spool[];

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), `rescind-test-${process.pid}-`));
    [damaged, open] = [0, []];
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    for (const one of open) await one.close();
    rmSync(directory, { recursive: true });
  });

  function spool(maxBytes = 10 * MiB): Spool {
    const opened = openSpool({
      directory,
      maxBytes,
      onDamaged: (count) => {
        damaged += count;
      },
      onProblem: (error) => {
        throw error;
      },
    });
    open.push(opened);
    return opened;
  }
  async function closed(one: Spool): Promise<void> {
    open.splice(open.indexOf(one), 1);
    await one.close();
  }
  const segments = () =>
    readdirSync(directory)
      .filter((name) => name.endsWith('.events'))
      .sort();
  const seqs = async (one: Spool, limits = everything) => (await one.read(limits)).map(({ seq }) => seq);

  it('gives back what was appended, in order, byte for byte', async () => {
    const sut = spool();
    await sut.append(events(1, 3));
    await sut.append(events(4, 4));
    expect(await sut.read(everything)).toEqual(events(1, 4));
    expect(await seqs(sut, { maxEvents: 2, maxBytes: MiB })).toEqual([1, 2]);
    expect(await seqs(sut, { maxEvents: 9, maxBytes: 1 })).toEqual([1]);
    expect(sut).toMatchObject({ size: 4, last: 4, oldestAt: 1_790_000_000_001 });
  });

  it('keeps what is not acknowledged for the next process', async () => {
    const first = spool();
    await first.append(events(1, 5));
    first.acknowledge(2);
    await closed(first);
    const sut = spool();
    expect(sut).toMatchObject({ size: 3, last: 5 });
    expect(await seqs(sut)).toEqual([3, 4, 5]);
    await sut.append(events(6, 6));
    expect(await seqs(sut)).toEqual([3, 4, 5, 6]);
  });

  it('leaves nothing behind when all is delivered, and goes on counting', async () => {
    const first = spool();
    await first.append(events(1, 3));
    first.acknowledge(3);
    await closed(first);
    expect(readdirSync(directory)).toEqual(['delivered']);
    const sut = spool();
    expect(sut).toMatchObject({ size: 0, last: 3, bytes: 0 });
    sut.acknowledge(9);
    await sut.append(events(10, 11));
    expect(await seqs(sut)).toEqual([10, 11]);
    await closed(sut);
    expect(await seqs(spool())).toEqual([10, 11]);
    expect(damaged).toBe(0);
  });

  it('cuts into segments, and deletes them as they are delivered', async () => {
    const sut = spool(MiB);
    for (let from = 1; from < 400; from += 50) await sut.append(events(from, from + 49, 500));
    expect(segments().length).toBeGreaterThan(2);
    expect(await seqs(sut, { maxEvents: 300, maxBytes: 10 * MiB })).toHaveLength(300);
    const before = sut.bytes;
    sut.acknowledge(300);
    expect(await seqs(sut)).toEqual(events(301, 400).map(({ seq }) => seq));
    await closed(sut);
    expect(sut.bytes).toBeLessThan(before / 2);
  });

  it('says how much room there is to the byte', async () => {
    const sut = spool(1_000);
    let next = 1;
    while (sut.fits(event(next), 0)) await sut.append([event(next++)]);
    const onDisk = segments().reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
    expect([sut.bytes, onDisk <= 1_000, onDisk > 850]).toEqual([onDisk, true, true]);
    sut.acknowledge(next - 1);
    expect(sut.fits(event(next), 0)).toBe(true);
    expect(sut.fits(event(next), 950)).toBe(false);
  });

  it('tolerates a last line that was torn at any byte', async () => {
    const first = spool();
    await first.append(events(1, 3));
    await closed(first);
    const file = join(directory, segments()[0]!);
    const whole = readFileSync(file);
    const endOfSecond = whole.indexOf('\n', whole.indexOf('\n') + 1) + 1;
    for (const size of [endOfSecond, endOfSecond + 1, endOfSecond + 12, whole.length - 1]) {
      writeFileSync(file, whole.subarray(0, size));
      const sut = spool();
      expect(sut).toMatchObject({ size: 2, last: 2 });
      await sut.append(events(3, 4));
      expect(await seqs(sut)).toEqual([1, 2, 3, 4]);
      await closed(sut);
      for (const name of segments().slice(1)) rmSync(join(directory, name));
    }
    expect(damaged).toBe(0);
  });

  it('counts what was damaged, once, and delivers the rest', async () => {
    const first = spool();
    await first.append(events(1, 6));
    await closed(first);
    const file = join(directory, segments()[0]!);
    writeFileSync(file, readFileSync(file, 'utf8').replace('"e3"', '"f3"').replace('"e6"', '"f6"'));
    const sut = spool();
    await sut.append(events(7, 7));
    expect(await seqs(sut)).toEqual([1, 2, 4, 5, 7]);
    expect(await seqs(sut)).toEqual([1, 2, 4, 5, 7]);
    expect(damaged).toBe(2);
  });

  it('counts a damaged end and a missing file', async () => {
    const first = spool();
    await first.append(events(1, 2));
    await closed(first);
    const file = join(directory, segments()[0]!);
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll('"e', '"f'));
    const sut = spool();
    expect(sut.size).toBe(2);
    expect(await seqs(sut)).toEqual([]);
    expect([damaged, sut.size]).toEqual([2, 0]);
    await sut.append(events(3, 4));
    rmSync(join(directory, segments().at(-1)!));
    expect(await seqs(sut)).toEqual([]);
    expect([damaged, sut.size]).toEqual([4, 0]);
  });

  it('survives a damaged note of what was delivered', async () => {
    const first = spool();
    await first.append(events(1, 3));
    first.acknowledge(2);
    await closed(first);
    appendFileSync(join(directory, 'delivered'), 'x');
    expect(await seqs(spool())).toEqual([1, 2, 3]);
  });

  it('is for one at a time', async () => {
    const sut = spool();
    expect(() => spool()).toThrow(
      expect.objectContaining({ code: 'config-invalid', detail: expect.stringContaining(`process ${process.pid} `) }),
    );
    await closed(sut);
    // The same pid with another start time: the state in which a killed container is restarted.
    writeFileSync(join(directory, 'lock'), JSON.stringify({ pid: process.pid, startedAt: '1' }));
    await closed(spool());
    writeFileSync(join(directory, 'lock'), JSON.stringify({ pid: process.ppid, startedAt: null }));
    expect(() => spool()).toThrow(expect.objectContaining({ code: 'config-invalid' }));
    writeFileSync(join(directory, 'lock'), '');
    await closed(spool());
    expect(readdirSync(directory)).toEqual([]);
  });

  it('holds for any order of appending, acknowledging, tearing and opening again', async () => {
    const step = fc.oneof(
      fc.record({
        do: fc.constant('append' as const),
        count: fc.integer({ min: 1, max: 40 }),
        size: fc.integer({ min: 0, max: 3_000 }),
      }),
      fc.record({ do: fc.constant('acknowledge' as const), count: fc.integer({ min: 0, max: 60 }) }),
      fc.record({ do: fc.constant('pass' as const), count: fc.integer({ min: 1, max: 5 }) }),
      fc.record({ do: fc.constant('reopen' as const), torn: fc.integer({ min: 0, max: 30 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        for (const left of open.splice(0)) await left.close();
        rmSync(directory, { recursive: true });
        let sut = spool(2 * MiB);
        let [last, settled] = [0, 0];
        damaged = 0;
        for (const one of steps) {
          if (one.do === 'append') {
            const added = events(last + 1, last + one.count, one.size);
            await sut.append(added);
            last += one.count;
          } else if (one.do === 'acknowledge') {
            settled = Math.min(last, settled + one.count);
            sut.acknowledge(settled);
          } else if (one.do === 'pass') {
            if (settled < last) continue;
            // Delivered from memory, without the spool.
            settled += one.count;
            last = settled;
            sut.acknowledge(settled);
          } else {
            await closed(sut);
            const newest = segments().at(-1);
            if (newest !== undefined && one.torn > 0) {
              appendFileSync(join(directory, newest), '0123abcd 99 1790000000000 {"id":"torn…'.slice(0, one.torn));
            }
            sut = spool(2 * MiB);
            // An empty spool remembers no more than it has to.
            if (last === settled) last = settled = sut.last;
          }
          expect(await seqs(sut)).toEqual(
            Array.from({ length: Math.max(0, last - settled) }, (_, at) => settled + 1 + at),
          );
        }
        await closed(sut);
        expect(damaged).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  /** Returns the prototype of all open files, to watch or to break the real write. */
  async function fileHandle(): Promise<FileHandle> {
    const handle = await openFile(directory, 'r');
    await handle.close();
    return Object.getPrototypeOf(handle) as FileHandle;
  }

  it('says that events are safe once their file is synchronized, and a new file once its directory is too', async () => {
    const handles = await fileHandle();
    const done: string[] = [];
    const { datasync, sync } = handles;
    jest.spyOn(handles, 'datasync').mockImplementation(async function (this: FileHandle) {
      const { size } = await this.stat();
      await datasync.call(this);
      done.push(`file of ${size} bytes`);
    });
    jest.spyOn(handles, 'sync').mockImplementation(async function (this: FileHandle) {
      const isDirectory = (await this.stat()).isDirectory();
      await sync.call(this);
      done.push(isDirectory ? 'directory' : 'file');
    });
    const sut = spool();
    await sut.append(events(1, 2));
    const first = sut.bytes;
    expect(done.splice(0)).toEqual(['directory', `file of ${first} bytes`]);
    await sut.append(events(3, 3));
    expect(done).toEqual([`file of ${sut.bytes} bytes`]);
  });

  it.each([
    ['is not written to its end', 'write'],
    ['is written, but cannot be synchronized', 'datasync'],
  ] as const)('has nothing of an append that %s, then and for the next process', async (_, breaking) => {
    const handles = await fileHandle();
    const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    const { write } = handles;
    const sut = spool();
    await sut.append(events(1, 2));
    const before = sut.bytes;
    if (breaking === 'datasync') jest.spyOn(handles, 'datasync').mockRejectedValue(full);
    else {
      jest.spyOn(handles, 'write').mockImplementation(async function (
        this: FileHandle,
        bytes: Buffer,
        offset: number,
        _length: number,
        position: number,
      ) {
        // Writes all whole lines except the last.
        await Reflect.apply(write, this, [bytes, offset, bytes.subarray(0, -1).lastIndexOf('\n') + 1, position]);
        throw full;
      } as never);
    }
    await expect(sut.append(events(3, 6))).rejects.toBe(full);
    jest.restoreAllMocks();
    expect([await seqs(sut), sut.bytes, statSync(join(directory, segments()[0]!)).size]).toEqual([
      [1, 2],
      before,
      before,
    ]);
    await closed(sut);
    const next = spool();
    expect([next.last, await seqs(next)]).toEqual([2, [1, 2]]);
    await next.append(events(3, 3));
    expect([await seqs(next), damaged]).toEqual([[1, 2, 3], 0]);
  });

  it('is free again where what an earlier process left cannot be read', async () => {
    mkdirSync(join(directory, 'delivered'));
    expect(() => spool()).toThrow(expect.objectContaining({ code: 'EISDIR' }));
    rmdirSync(join(directory, 'delivered'));
    expect(spool().size).toBe(0);
  });

  it('does not bring back what was written by half', async () => {
    const sut = spool();
    await sut.append(events(1, 2));
    await closed(sut);
    const file = join(directory, segments()[0]!);
    truncateSync(file, readFileSync(file).indexOf('\n') + 5);
    expect(await seqs(spool())).toEqual([1]);
  });
});
