import { describe, expect, it } from '@jest/globals';
import { readFrames, readSyslog } from '../../../test/support/syslog.js';
import { formatMessage, frameOf, MAX_MESSAGE_BYTES, SYSLOG_SEVERITY, type SyslogMessage } from './message.js';

const MESSAGE: SyslogMessage = {
  severity: SYSLOG_SEVERITY.high,
  at: new Date('2026-12-01T10:00:00.125Z'),
  hostname: 'rescind.example',
  msgId: 'finding.opened',
  sdId: 'finding@32473',
  parameters: [['id', 'f-1']],
  bodies: [{ says: 'much' }],
};
const read = (over: Partial<SyslogMessage>) => {
  const { messages, rest } = readFrames(frameOf(formatMessage({ ...MESSAGE, ...over })));
  expect([messages.length, rest.length]).toEqual([1, 0]);
  return readSyslog(messages[0]!);
};

describe('a message of syslog', () => {
  it('is written as RFC 5424 says', () => {
    expect(formatMessage(MESSAGE).toString()).toBe(
      '<83>1 2026-12-01T10:00:00.125Z rescind.example rescind - finding.opened [finding@32473 id="f-1"] {"says":"much"}',
    );
  });

  it.each([
    ['critical', 2],
    ['high', 3],
    ['medium', 4],
    ['low', 5],
    ['info', 6],
  ] as const)('a finding that is %s has the severity %d', (severity, code) => {
    expect(read({ severity: SYSLOG_SEVERITY[severity] })).toMatchObject({ facility: 10, severity: code });
  });

  const HOSTILE = [
    'a"] [evil@1 x="y',
    'back\\slash\\',
    'line\nbreak\r\n<11>1 - - - - - -',
    '\u0000\u001b[2J',
    '\u202etxt.exe',
    'émile ✓ 🦊',
    '\ud800 lone',
    '] ',
    '12 <11>1',
    'x'.repeat(10_000),
    '',
  ];
  it.each(HOSTILE)('the name %j breaks neither out of its parameter nor out of the body', (name) => {
    const said = read({
      parameters: [
        ['id', 'f-1'],
        ['user', name],
        ['kind', 'k'],
      ],
      bodies: [{ name: name.slice(0, 1_000) }],
    });
    expect([...said.structured.keys()]).toEqual(['finding@32473']);
    const parameters = said.structured.get('finding@32473')!;
    expect([...parameters.keys()]).toEqual(['id', 'user', 'kind']);
    expect(parameters.get('kind')).toBe('k');
    expect([...parameters.get('user')!].length).toBeLessThanOrEqual(128);
    expect((JSON.parse(said.msg) as { name: string }).name).toBe(name.slice(0, 1_000));
  });

  it.each(HOSTILE)('the host %j breaks no header', (name) => {
    const said = read({ hostname: name, msgId: name });
    expect(said.msg).toBe('{"says":"much"}');
    expect(said.hostname ?? '-').toMatch(/^[\x21-\x7e]{1,255}$/);
  });

  it('has the first body that fits', () => {
    const bodies = [{ nth: 0, much: 'x'.repeat(MAX_MESSAGE_BYTES) }, { nth: 1 }, { nth: 2 }];
    expect(JSON.parse(read({ bodies }).msg)).toEqual({ nth: 1 });
    expect(formatMessage({ ...MESSAGE, bodies }).length).toBeLessThanOrEqual(MAX_MESSAGE_BYTES);
  });

  it('a host that is not said is the nil value', () => {
    expect(read({ hostname: undefined })).toMatchObject({ hostname: null, procId: null, appName: 'rescind' });
  });
});

describe('the strict reader', () => {
  it.each([
    '<83>1 2026-12-01T10:00:00Z h a - - [x@1 a="b]"] m',
    '<83>1 2026-12-01T10:00:00Z h a - - [x a="b"] m',
    '<83>1 2026-12-01T10:00:00Z h a - - [x@1 a="b" m',
    '<083>1 2026-12-01T10:00:00Z h a - - - m',
    '<192>1 2026-12-01T10:00:00Z h a - - - m',
    '<83>2 2026-12-01T10:00:00Z h a - - - m',
    '<83>1 2026-12-01 10:00:00Z h a - - - m',
    '<83>1 2026-12-01T10:00:00Z  a - - - m',
    '<83>1 2026-12-01T10:00:00Z h a - - -m',
    '<83>1 2026-12-01T10:00:00Z h a - - - é',
  ])('refuses %s', (text) => {
    expect(() => readSyslog(Buffer.from(text))).toThrow();
  });

  it('refuses a frame without a length', () => {
    expect(() => readFrames(Buffer.from('<83>1 x'))).toThrow();
    expect(() => readFrames(Buffer.from('012 x'))).toThrow();
    expect(readFrames(Buffer.from('3 ab')).rest.toString()).toBe('3 ab');
  });
});
