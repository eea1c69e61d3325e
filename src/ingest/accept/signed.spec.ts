import { describe, expect, it } from '@jest/globals';
import { good, SET_HEADERS, setBytes } from '../../../test/support/arrivals/refused-signature.js';
import { judge, NOW, onTopic, said, state, text, token } from '../../../test/support/arrivals/world.js';
import { contentOf, type Accepted } from './accept.js';

const door = onTopic('8-signing');
const set = (over: object = {}, signature = good()) =>
  judge({ mode: 'set', headers: SET_HEADERS, bytes: setBytes(over), door, signature }) as Accepted;

describe('a SET', () => {
  it('is the event that its claims say', () => {
    expect(set({ sub_id: { format: 'opaque', id: 'wiki' } })).toMatchObject({
      accepted: true,
      name: 'token.issued',
      timeMs: (NOW - 1) * 1_000,
      event: { source: 'urn:source:8-signing', id: 'e-1', subject: 'wiki', data: { jti: 'at-1' } },
      attributes: SET_HEADERS,
    });
  });

  it('has the content of the same event in another mode, whatever it says beside', () => {
    const bytes = text(said('token.issued', '8-signing', token(), { time: new Date((NOW - 1) * 1_000).toISOString() }));
    const plain = contentOf({ mode: 'structured', headers: [], bytes });
    expect(contentOf({ mode: 'set', headers: [], bytes: setBytes({ aud: 'a', iat: 1, txn: 't' }) })).toBe(plain);
    expect(contentOf({ mode: 'set', headers: [], bytes: setBytes({ toe: NOW - 0.999 }) })).not.toBe(plain);
  });

  it('keeps the milliseconds of its time, and needs no opaque subject', () => {
    expect(set({ toe: NOW - 0.877 }).timeMs).toBe(NOW * 1_000 - 877);
    expect(set({ sub_id: { format: 'email', email: 'a@b.example' } }).event.subject).toBeUndefined();
  });

  it('may come from a source that need not sign', () => {
    const chat = state.sourceByName('2-chat')!;
    const bytes = setBytes({ iss: chat.uri });
    const signature = good({ source: chat.id });
    expect(judge({ mode: 'set', headers: SET_HEADERS, bytes, signature })).toMatchObject({ accepted: true });
  });

  it('may be about a token on a topic that sources share', () => {
    const gate = state.sourceByName('4-gate-a')!;
    const events = {
      'https://rescind.dev/schemas/dev.rescind.token.issued.v1.json': token({ aud: ['https://a.example'] }),
    };
    const bytes = setBytes({ iss: gate.uri, events });
    const signature = good({ source: gate.id });
    expect(judge({ mode: 'set', headers: SET_HEADERS, bytes, door: onTopic('gates'), signature })).toMatchObject({
      accepted: true,
    });
  });
});
