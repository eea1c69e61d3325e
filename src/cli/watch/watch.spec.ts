import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable, Writable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { run } from '../run.js';
import type { Terminal } from '../terminal.js';
import { eventText } from './event-text.js';
import { readEvents, type StreamEvent } from './events.js';

async function* cut(text: string, at: number): AsyncGenerator<string> {
  for (let from = 0; from < text.length; from += at) yield text.slice(from, from + at);
}

describe('events of a stream', () => {
  const TEXT =
    'retry: 2000\nid: 1.0\nevent: start\ndata: {"position":"1.0"}\n\n:\n\nid: 1.1\nevent: finding\ndata: {"a":"x: y"}\n\nevent: rule\ndata: {}\n\nid: 9.9\nevent: cut';
  it.each([1, 2, 7, 1_000])('are read however the text is cut: every %d characters', async (at) => {
    const events: StreamEvent[] = [];
    for await (const event of readEvents(cut(TEXT, at))) events.push(event);
    expect(events).toEqual([
      { id: '1.0', event: 'start', data: { position: '1.0' } },
      { id: '1.1', event: 'finding', data: { a: 'x: y' } },
      { id: '1.1', event: 'rule', data: {} },
    ]);
  });
});

describe('rescind watch', () => {
  it('opens a stream that ended again, behind the last event', async () => {
    const asked: (string | undefined)[] = [];
    const server = createServer((req, res) => {
      asked.push(req.headers['last-event-id'] as string | undefined);
      if (asked.length === 2) return void res.destroy();
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write(`id: 1.${asked.length}\nevent: finding\ndata: {"what":"grown","id":"f","finding":null}\n\n`);
      if (asked.length === 1) res.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const written = { out: '', err: '' };
    const sink = (name: 'out' | 'err'): Writable =>
      new Writable({ write: (chunk: Buffer, _, done) => ((written[name] += String(chunk)), done()) });
    const code = await run(['watch', '--count', '2', '--json'], {
      env: { RESCIND_URL: url, RESCIND_KEY: 'rsk_x' },
      out: sink('out'),
      err: sink('err'),
      stdin: Readable.from(['']),
    } as unknown as Terminal);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    expect(code).toBe(0);
    expect(asked).toEqual([undefined, '1.1', '1.1']);
    expect(
      written.out
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as StreamEvent).id),
    ).toEqual(['1.1', '1.3']);
    expect(written.err).toContain('trying again');
  });
});

describe('the text of an event', () => {
  const text = (event: string, data: Record<string, unknown>): string =>
    eventText({ id: '1.1', event, data: { at: '2026-12-01T10:00:00Z', ...data } }).replace(/^\S+(?: \S+)?  /, '');
  const rule = (what: string, data: Record<string, unknown>): string =>
    text('rule', { what, rule: 'r-1', seq: '7', ...data });

  it.each([
    [
      rule('ordered', {
        effect: 'block',
        selector: { user: { iss: 'https://idp.example', sub: 'dana' } },
        author: { caller: 'security' },
        reason: 'gone',
      }),
      'RULE      rule r-1: block user dana of idp.example, by security: gone\n',
    ],
    [
      rule('confirmed', { node: '0123456789', guards: 1, ms: 4 }),
      'RULE      rule r-1: node 01234567 confirmed, with 1 guard after 4 ms\n',
    ],
    [
      rule('expired', { node: '0123456789', guards: 0 }),
      'RULE      rule r-1: node 01234567 is gone, its lease has run out\n',
    ],
    [
      rule('guard-confirmed', { caller: 'chat', guard: 'abcdefghij', ms: 3 }),
      'RULE      rule r-1: guard abcdefgh of chat confirmed after 3 ms\n',
    ],
    [
      rule('in-force', { confirmed: { nodes: 2, guards: 1, expired: 0 }, ms: 9 }),
      'RULE      rule r-1: in force on 2 nodes and 1 guard after 9 ms\n',
    ],
    [rule('in-force', {}), 'RULE      rule r-1: in force\n'],
    [
      rule('lifted', { author: { caller: 'security' }, reason: 'over' }),
      'RULE      rule r-1: lifted by security: over\n',
    ],
    [text('rule', { what: 'enabled', seq: '8' }), 'RULE      record 8: a source enabled what it had disabled\n'],
    [text('coverage', { what: 'ended', says: 'hr has been silent.' }), 'COVERAGE  over: hr has been silent.\n'],
    [
      text('gap', { of: 'findings', why: 'deleted', missed: 2 }),
      'GAP       2 changes of findings came and went while nobody read\n',
    ],
    [
      text('gap', { of: 'rules', why: 'ahead' }),
      'GAP       the service knows less of rules than was read before: its database was restored\n',
    ],
    [text('end', { detail: 'this process stops' }), 'END       this process stops\n'],
    [
      text('finding', {
        what: 'opened',
        finding: {
          severity: 'high',
          kind: 'bulk-export',
          says: 'Atlas read \u001b[31mmuch.',
          stop: { command: 'rescind revoke …' },
        },
      }),
      'FINDING   opened, high, bulk-export: Atlas read \\u{1b}[31mmuch.\n  stop: rescind revoke …\n',
    ],
    [text('finding', { what: 'grown', id: 'f', finding: null }), 'FINDING   grown: finding f, which is gone\n'],
  ])('%j', (said, expected) => expect(said).toBe(expected));
});
