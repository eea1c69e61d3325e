import { afterEach, describe, expect, it } from '@jest/globals';
import type { Message, Outcome } from '../../../src/channels/channel.js';
import { syslog } from '../../../src/channels/kinds/syslog.js';
import { TEST_FINDING } from '../../../src/channels/set/test-finding.js';
import { createEgress, parseAllowed } from '../../../src/platform/egress/index.js';
import { ocsfFaults } from '../../support/ocsf.js';
import {
  CERTIFICATE,
  startPlain,
  startReceiver,
  type ReceiverOptions,
  type SyslogReceiver,
} from './syslog-receiver.js';

const TEST_TIMEOUT_MS = 60_000;
const FINDING = {
  ...TEST_FINDING(1_796_000_000_000, '6f1c1d0e-8a55-4f0c-9a5e-2d3b0c9f1a11'),
  kind: 'bulk-export' as const,
  severity: 'high' as const,
  says: 'Atlas read 48,200 records.',
  user: { entity: 1, iss: 'https://idp.example', sub: 'u-1' },
  client: { entity: 2, iss: 'https://chat.example', client_id: 'atlas' },
  resource: { entity: 3, uri: 'https://api.example' },
  entries: ['4', '7'],
};
const MESSAGE: Message = {
  id: 'msg_0123456789abcdef0123456789abcdef_7',
  seq: 7n,
  tenant: 'acme',
  told: 'opened',
  at: '2026-12-01T10:00:00.125Z',
  finding: FINDING,
  link: 'https://rescind.example:8443/v1/findings/6f1c1d0e-8a55-4f0c-9a5e-2d3b0c9f1a11',
};

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});
async function receiver(options: ReceiverOptions = {}): Promise<SyslogReceiver> {
  const started = await startReceiver(options);
  stops.push(started.stop);
  return started;
}

interface SendOptions {
  readonly host?: string;
  readonly format?: string;
  readonly message?: Message;
  readonly isTrusted?: boolean;
  readonly allowed?: readonly string[];
  readonly signal?: AbortSignal;
}
function send(port: number, options: SendOptions = {}): Promise<Outcome> {
  const {
    host = '127.0.0.1',
    format,
    message = MESSAGE,
    isTrusted = true,
    allowed = ['127.0.0.0/8', 'localhost'],
  } = options;
  const settings = { address: `syslog-tls://${host}:${port}`, ...(format === undefined ? {} : { format }) };
  expect(syslog.check(settings)).toBeUndefined();
  return syslog.send(
    message,
    { settings, secrets: [] },
    {
      egress: createEgress({ allowed: parseAllowed(allowed)!, ca: isTrusted ? [CERTIFICATE] : undefined }),
      nowMs: Date.now(),
      signal: options.signal ?? new AbortController().signal,
    },
  );
}
const DELIVERED = { result: 'delivered', status: null, problem: null, answer: '' };

describe('a finding on syslog', () => {
  it.each(['127.0.0.1', 'localhost'])('arrives at %s as RFC 5424 over TLS, with the finding in JSON', async (host) => {
    const sut = await receiver();
    expect(await send(sut.port, { host })).toEqual(DELIVERED);
    expect(sut.faults).toEqual([]);
    expect(sut.messages).toHaveLength(1);
    const [{ structured, msg, ...header }] = sut.messages as [SyslogReceiver['messages'][number]];
    expect(header).toEqual({
      facility: 10,
      severity: 3,
      timestamp: MESSAGE.at,
      hostname: 'rescind.example',
      appName: 'rescind',
      procId: null,
      msgId: 'finding.opened',
    });
    expect(Object.fromEntries(structured.get('finding@32473')!)).toEqual({
      id: FINDING.id,
      kind: 'bulk-export',
      severity: 'high',
      state: 'open',
      message: MESSAGE.id,
      user: 'u-1',
      client: 'atlas',
      resource: 'https://api.example',
    });
    expect(JSON.parse(msg)).toEqual({
      type: 'finding.opened',
      timestamp: MESSAGE.at,
      link: MESSAGE.link,
      data: FINDING,
    });
  });

  it('arrives as a Detection Finding where OCSF is wanted', async () => {
    const sut = await receiver();
    expect(await send(sut.port, { format: 'ocsf' })).toEqual(DELIVERED);
    const event = JSON.parse(sut.messages[0]!.msg) as object;
    expect(ocsfFaults(event)).toEqual([]);
    expect(event).toMatchObject({ class_uid: 2004, metadata: { uid: 'acme/findings/7' } });
  });

  it.each(['json', 'ocsf'])(
    'with hostile and endless names is still one message, valid and within its bound (%s)',
    async (format) => {
      const sut = await receiver();
      const names = ['a"] [evil@1 x="y', 'line\n3 <11>1 - -', '\u0000\u202e\\]"', 'é'.repeat(500), '🦊'.repeat(128)];
      for (const name of names) {
        const finding = {
          ...FINDING,
          says: `${name} did much.`.repeat(3),
          user: { ...FINDING.user, sub: name },
          client: { ...FINDING.client, client_id: name },
          resource: { ...FINDING.resource, uri: name },
          details: { more: name.repeat(20) },
          stop: {
            selector: { client: name },
            preview: { method: 'POST', path: '/v1/revocations/preview' },
            command: name.repeat(4),
          },
        } as unknown as Message['finding'];
        expect(await send(sut.port, { format, message: { ...MESSAGE, finding } })).toEqual(DELIVERED);
      }
      expect(sut.faults).toEqual([]);
      expect(sut.messages).toHaveLength(names.length);
      for (const { structured, msg } of sut.messages) {
        expect([...structured.keys()]).toEqual(['finding@32473']);
        expect(structured.get('finding@32473')!.get('id')).toBe(FINDING.id);
        const body = JSON.parse(msg) as object;
        expect(msg.length).toBeLessThan(8_192);
        if (format === 'ocsf') expect(ocsfFaults(body)).toEqual([]);
        else expect(body).toMatchObject({ data: { id: FINDING.id } });
      }
    },
  );
});

describe('a receiver of syslog', () => {
  it('is not trusted without its authority, or under another name', async () => {
    const sut = await receiver();
    expect(await send(sut.port, { isTrusted: false })).toMatchObject({
      result: 'retry',
      problem: expect.stringContaining('the certificate is not trusted'),
    });
    const other = await receiver({ host: '127.0.0.2' });
    expect(await send(other.port, { host: '127.0.0.2' })).toMatchObject({
      result: 'retry',
      problem: expect.stringContaining('the certificate is not trusted'),
    });
    expect([sut.messages.length, other.messages.length]).toEqual([0, 0]);
  });

  it('is reached at public addresses alone, unless the operator allows it', async () => {
    const sut = await receiver();
    for (const host of ['127.0.0.1', 'localhost']) {
      const { result, problem } = await send(sut.port, { host, allowed: ['10.0.0.0/8'] });
      expect(result).toBe('retry');
      expect(problem).not.toContain(host);
    }
    expect(sut.connections).toBe(0);
  });

  it('that was away gets the message again, on a new connection', async () => {
    const first = await receiver();
    expect(await send(first.port)).toEqual(DELIVERED);
    await first.stop();
    expect(await send(first.port)).toMatchObject({ result: 'retry', problem: 'no connection (ECONNREFUSED)' });
    const again = await receiver({ port: first.port });
    expect(await send(first.port)).toEqual(DELIVERED);
    expect(again.messages).toHaveLength(1);
  });

  it('that speaks no TLS, closes at once or breaks off has not got it', async () => {
    const talking = await startPlain((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n'));
    const closing = await startPlain((socket) => socket.destroy());
    stops.push(talking.stop, closing.stop);
    const breaking = await receiver({ onSocket: (socket) => socket.destroy() });
    for (const { port } of [talking, closing, breaking])
      expect(await send(port)).toMatchObject({ result: 'retry', problem: expect.any(String) });
  });

  it(
    'that hangs is left within seconds, and at once when the process stops',
    async () => {
      const hanging = await startPlain(() => undefined);
      stops.push(hanging.stop);
      expect(await send(hanging.port)).toMatchObject({ result: 'retry', problem: 'no connection in time' });
      const ending = new AbortController();
      const sending = send(hanging.port, { signal: ending.signal });
      ending.abort();
      expect(await sending).toMatchObject({ result: 'retry', problem: 'the attempt was ended' });
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'that floods its sender, or keeps the connection open, has got it',
    async () => {
      const flooding = await receiver({
        onSocket(socket) {
          const flood = (): void => {
            while (socket.writable && socket.write(Buffer.alloc(65_536)));
          };
          socket.on('drain', flood);
          flood();
          socket.resume();
        },
      });
      const keeping = await receiver({
        onSocket(socket) {
          socket.allowHalfOpen = true;
          socket.resume();
        },
      });
      const before = process.memoryUsage().rss;
      expect(await Promise.all([send(flooding.port), send(keeping.port)])).toEqual([DELIVERED, DELIVERED]);
      expect(process.memoryUsage().rss - before).toBeLessThan(256 * 1024 * 1024);
    },
    TEST_TIMEOUT_MS,
  );
});

describe('the address of a channel of syslog', () => {
  it.each(['syslog-tls://siem.example', 'syslog-tls://siem.example:6514', 'syslog-tls://[2606:4700::1111]:6514/'])(
    '%s is one',
    (address) => {
      expect(syslog.check({ address })).toBeUndefined();
    },
  );
  it.each([
    'syslog-tls://',
    'syslog-tls://siem.example:0',
    'syslog-tls://siem.example:99999',
    'syslog-tls://user@siem.example',
    'syslog-tls://siem.example/path',
    'syslog-tls://siem.example?x',
    'syslog-tls://siem.example#x',
    'https://siem.example',
    'siem.example:6514',
  ])('%s is none', (address) => {
    expect(syslog.check({ address })).toMatch(/^`address` is/);
  });
});
