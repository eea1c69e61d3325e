import { describe, expect, it } from '@jest/globals';
import { readEvent } from './events.js';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const read = (bytes: string, mode: 'structured' | 'binary' | 'set' = 'structured', attributes = '') =>
  readEvent({ mode, attributes, bytes: base64(bytes) });

/** Headers as an entry keeps them: name and value, each after its length in four bytes. */
function headers(...texts: readonly string[]): string {
  const parts = texts.flatMap((text) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(Buffer.byteLength(text));
    return [length, Buffer.from(text)];
  });
  return Buffer.concat(parts).toString('base64');
}

const USE = { token: { iss: 'https://as.example', jti: 't-1' }, operation: 'read', resource: ['https://api.example'] };
const USE_NAMES = [
  ['resource', 'https://api.example'],
  ['operation', 'read'],
  ['token', 't-1'],
];

describe('an event of the ledger', () => {
  it('names who and what in one message', () => {
    const { time, names, token } = read(JSON.stringify({ time: '2026-12-01T09:00:00Z', data: USE }));
    expect({ time, names, token }).toEqual({ time: '2026-12-01T09:00:00Z', names: USE_NAMES, token: USE.token });
  });

  it('has its time in the headers when its data is the whole body', () => {
    const attributes = headers('ce-id', 'é-1', 'ce-time', '2026-12-01T09:00:00Z');
    const { time, names } = read(JSON.stringify(USE), 'binary', attributes);
    expect({ time, names }).toEqual({ time: '2026-12-01T09:00:00Z', names: USE_NAMES });
  });

  it('that came as a SET is what the claims say', () => {
    const claims = { toe: 1_796_115_600.5, events: { 'https://rescind.dev/schemas/x.json': { ...USE, route: 'é' } } };
    const set = `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`;
    const { time, names, text } = read(set, 'set');
    expect(time).toBe('2026-12-01T09:00:00.500Z');
    expect(names).toContainEqual(['route', 'é']);
    expect(text).toContain('"toe"');
  });

  it('that says whose token it is needs no look at the token', () => {
    const { names, token } = read(JSON.stringify({ data: { sub: 'alice', jti: 't-1', client_id: 'bot' } }));
    expect(token).toBeUndefined();
    expect(names.slice(0, 2)).toEqual([
      ['user', 'alice'],
      ['client', 'bot'],
    ]);
  });

  it.each(['', 'no JSON', '[]', 'null', '{"data":7,"time":8}', '{"data":{"sub":{},"token":[]}}'])(
    'of other content (%s) names nobody',
    (text) => expect(read(text)).toMatchObject({ names: [] }),
  );
});
