import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openPartFile, type Plan } from './part-file.js';

const PLAN: Plan = { url: 'http://localhost:1', format: 'jsonl', from: '7d', to: null, first: '3', before: '90' };
const line = (sequence: number, more = ''): string => `${JSON.stringify({ metadata: { sequence }, more })}\n`;

let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-`));
  path = join(directory, 'events.jsonl');
});
afterEach(() => rm(directory, { recursive: true }));

/** Writes the files that a killed process has left. */
const left = (part: string | Buffer): void => {
  writeFileSync(`${path}.resume`, JSON.stringify(PLAN));
  writeFileSync(`${path}.part`, part);
};

describe('a file that is written in pieces', () => {
  it('appears whole, and leaves nothing else', async () => {
    const file = (await openPartFile(path))!;
    expect([file.plan, file.last]).toEqual([undefined, undefined]);
    await file.begin(PLAN);
    await file.write(line(3));
    expect(existsSync(path)).toBe(false);
    await file.write(line(4));
    await file.finish('jsonl');
    await file.close();
    expect(readFileSync(path, 'utf8')).toBe(line(3) + line(4));
    expect(readdirSync(directory)).toEqual(['events.jsonl']);
  });

  it.each([
    ['nothing', '', undefined, ''],
    ['a piece of the first line', line(3).slice(0, 9), undefined, ''],
    ['whole lines', line(3) + line(7), 7n, line(3) + line(7)],
    ['a piece of a line', line(3) + line(7).slice(0, -1), 3n, line(3)],
    [
      'a line that is longer than a block',
      line(3, 'é'.repeat(100_000)) + line(7).slice(0, -4),
      3n,
      line(3, 'é'.repeat(100_000)),
    ],
    ['blocks that were never written', `${line(3)}\0\0\0\n\0\0`, 3n, line(3)],
  ])('goes on behind the last whole line: %s', async (_, part, last, kept) => {
    left(part);
    const file = (await openPartFile(path))!;
    expect([file.plan, file.last]).toEqual([PLAN, last]);
    await file.write(line(8));
    await file.finish('jsonl');
    await file.close();
    expect(readFileSync(path, 'utf8')).toBe(kept + line(8));
  });

  it('is written by one run at a time', async () => {
    const file = (await openPartFile(path))!;
    await file.begin(PLAN);
    await file.write(line(3));
    await expect(openPartFile(path)).rejects.toThrow(`process ${process.pid} writes ${path} now: wait for it`);
    expect(readFileSync(`${path}.part`, 'utf8')).toBe(line(3));
    await file.close();
    // A killed run leaves its lock: the pid of another program that has begun since says nothing.
    writeFileSync(`${path}.lock`, JSON.stringify({ pid: process.ppid, startedAt: '1' }));
    const next = (await openPartFile(path))!;
    expect(next.last).toBe(3n);
    await next.close();
    writeFileSync(`${path}.lock`, JSON.stringify({ pid: process.ppid, startedAt: null }));
    await expect(openPartFile(path)).rejects.toThrow(`process ${process.ppid} writes`);
  });

  it('is not begun over a file that is there', async () => {
    writeFileSync(path, 'mine');
    await expect(openPartFile(path)).rejects.toThrow('is there already');
    expect(readFileSync(path, 'utf8')).toBe('mine');
  });

  it('is done if a run was killed when the file was whole', async () => {
    left(line(3));
    renameSync(`${path}.part`, path);
    expect(await openPartFile(path)).toBeUndefined();
    expect([existsSync(path), existsSync(`${path}.resume`)]).toEqual([true, false]);
  });

  it('takes no part that belongs to no plan, and no plan that is none', async () => {
    writeFileSync(`${path}.part`, line(3));
    await expect(openPartFile(path)).rejects.toThrow('belongs to no export');
    writeFileSync(`${path}.resume`, 'x');
    await expect(openPartFile(path)).rejects.toThrow('is not what an export has left');
    expect(readFileSync(`${path}.part`, 'utf8')).toBe(line(3));
  });
});
