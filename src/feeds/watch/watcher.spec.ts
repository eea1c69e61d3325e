import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ControlRecord, Seq } from '../../control/index.js';
import { createLog } from '../../platform/log/index.js';
import { createStreams, type OpenStream, type Streams } from '../sse/streams.js';
import type { NewsOfFindings, TellableFinding } from '../findings-news.js';
import { idOf, parsePosition } from './position.js';
import { createProgress, type Progress } from './progress.js';
import { createWatcher, type Watcher, type WatcherOptions } from './watcher.js';

const TENANT = '00000000-0000-4000-8000-000000000001';
const seq = (value: number): Seq => BigInt(value) as Seq;
const rule = (nth: number): ControlRecord =>
  ({
    seq: seq(nth),
    at: 1_790_000_000_000,
    tenant: TENANT,
    version: 1,
    kind: 'rule.ordered',
    subject: `rule-${nth}`,
    body: {
      id: `rule-${nth}`,
      effect: 'block',
      selector: { all: true },
      reauthenticate: false,
      reason: 'spec',
      author: { caller: 'c' },
    },
  }) as unknown as ControlRecord;

describe('the id of an event', () => {
  it.each(['0.0', '12.7', '9223372036854775807.1'])('%s is read as it is written', (text) => {
    expect(idOf(parsePosition(text)!)).toBe(text);
  });
  it.each(['', '1', '1.', '.1', '01.1', '1.1.1', '-1.1', '1.x', ' 1.1', '1e3.1', '99999999999999999999.1'])(
    '%j is none',
    (text) => expect(parsePosition(text)).toBeUndefined(),
  );
});

describe('a reader of the stream', () => {
  let server: Server;
  let streams: Streams<OpenStream>;
  let ends: string[];
  let responses: ((res: ServerResponse) => void)[];
  let client: IncomingMessage | undefined;
  let text: string;
  let progress: Progress;
  let watcher: Watcher;

  beforeEach(async () => {
    [ends, responses, client, text] = [[], [], undefined, ''];
    server = createServer((_, res) => responses.shift()!(res));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    streams = createStreams<OpenStream>({
      bounds: { maxWaitingBytes: 64 * 1024 * 1024, maxStreams: 9, maxStreamsACaller: 9, maxStreamsATenant: 9 },
      onEnded: (_, reason) => void ends.push(reason),
      lastWords: (_, reason) => `event: end\ndata: {"reason":"${reason}"}\n\n`,
    });
    progress = createProgress({ watchInForce: () => new Promise(() => undefined), onStep: () => watcher.wake() });
  });
  afterEach(async () => {
    client?.destroy();
    await streams.endAll();
    await new Promise((resolve) => server.close(resolve));
  });

  async function open(over: Partial<WatcherOptions>): Promise<OpenStream> {
    const answered = new Promise<ServerResponse>((resolve) => responses.push(resolve));
    request({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', agent: false }, (response) => {
      client = response;
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('error', () => undefined);
    }).end();
    const res = await answered;
    res.writeHead(200);
    const stream: OpenStream = { res, tenant: TENANT, caller: 'auditor', mayRead: () => true };
    streams.add(stream, ': open\n\n');
    watcher = createWatcher({
      stream,
      seesPayloads: true,
      from: { seq: seq(0), news: 0n },
      inForceUpTo: seq(0),
      lastNews: 0n,
      head: () => seq(0),
      readRules: async () => [],
      findings: NO_FINDINGS,
      progress,
      nodes: () => 1,
      isOpen: () => streams.has(stream),
      write: (written) => streams.has(stream) && streams.write(stream, written),
      endSlow: () => void streams.end(stream, 'too-slow'),
      log: createLog({ level: 'silent' }),
      ...over,
    });
    return stream;
  }

  const NO_FINDINGS: NewsOfFindings = {
    last: async () => 0n,
    read: async () => ({ news: [], missed: 0n }),
    show: async () => undefined,
  };
  async function until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const ids = (): string[] => [...text.matchAll(/^id: (.*)$/gm)].map(([, id]) => id!);

  it('that does not read costs a bounded number of bytes, and is ended with an event that says so', async () => {
    let read = 0;
    const large = 'x'.repeat(100_000);
    const stream = await open({
      lastNews: 1_000_000n,
      findings: {
        ...NO_FINDINGS,
        read: async (_, after) => {
          read++;
          return { news: [{ seq: after + 1n, finding: 'f', what: 'grown', atMs: 0 }], missed: 0n };
        },
        show: async () => ({ kind: 'refusals', says: large }) as TellableFinding,
      },
      slowAfterMs: 50,
    });
    await until(() => client !== undefined);
    client!.pause();
    const most = watchBytes(stream.res);
    await watcher.run();
    expect(ends).toEqual(['too-slow']);
    const readUntilThen = read;
    expect(most()).toBeLessThan(1024 * 1024);
    client!.resume();
    await new Promise((resolve) => client!.once('close', resolve));
    expect(text.endsWith('event: end\ndata: {"reason":"too-slow"}\n\n')).toBe(true);
    expect(read).toBe(readUntilThen);
  });

  function watchBytes(res: ServerResponse): () => number {
    let most = 0;
    const write = res.write.bind(res) as (chunk: string) => boolean;
    res.write = ((chunk: string) => {
      const result = write(chunk);
      most = Math.max(most, res.writableLength);
      return result;
    }) as typeof res.write;
    return () => most;
  }

  it('is told of a record that is in force by an id behind it, and of all others by an id before the first that is not', async () => {
    const settle = new Map<Seq, () => void>();
    progress = createProgress({
      watchInForce: (of) =>
        new Promise((resolve) => settle.set(of, () => resolve({ nodes: 1, guards: 0, expired: 0 }))),
      onStep: () => watcher.wake(),
    });
    let head = 2;
    await open({
      progress,
      head: () => seq(head),
      readRules: async (_, after, upTo) => [1, 2, 3].map(rule).filter((one) => one.seq > after && one.seq <= upTo),
    });
    const running = watcher.run();
    await until(() => ids().length === 2);
    settle.get(seq(2))!();
    await until(() => ids().length === 3);
    expect(ids()).toEqual(['0.0', '0.0', '0.0']);
    settle.get(seq(1))!();
    await until(() => ids().length === 4);
    head = 3;
    watcher.wake();
    await until(() => ids().length === 5);
    expect(ids().slice(3)).toEqual(['2.0', '2.0']);
    await streams.endAll();
    await running;
  });

  it('is told what comes after the database was away, without a gap', async () => {
    let reads = 0;
    await open({
      head: () => seq(2),
      inForceUpTo: seq(2),
      readRules: async (_, after) => {
        if (++reads === 1) throw new Error('away');
        return [1, 2].map(rule).filter((one) => one.seq > after);
      },
    });
    const running = watcher.run();
    watcher.wake();
    await until(() => text.includes('"rule":"rule-2","seq":"2"}'));
    expect(text.match(/"what":"(?:ordered|in-force)","rule":"rule-\d"/g)).toEqual([
      '"what":"ordered","rule":"rule-1"',
      '"what":"in-force","rule":"rule-1"',
      '"what":"ordered","rule":"rule-2"',
      '"what":"in-force","rule":"rule-2"',
    ]);
    await streams.endAll();
    await running;
  });
});
