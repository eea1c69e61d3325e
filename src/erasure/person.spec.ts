import { describe, expect, it } from '@jest/globals';
import { erasedName, type Parts } from '../rules/index.js';
import { createEraser, nothingSaid } from './person.js';

const KEY = Buffer.alloc(32, 7);
const IDP = 'https://idp.example';
const AS = 'https://as.example';
const ALICE: Parts = [IDP, null, 'alice'];
const LOCAL: Parts = [AS, null, 'a-17/ü'];
const eraser = createEraser(KEY, { users: [ALICE, LOCAL], texts: ['Alice Archer', 'Al'] });
const { shown } = eraser;
const said = (data: object) => {
  const found = nothingSaid();
  eraser.data(data, found);
  return found;
};

describe('the eraser of a person', () => {
  it('replaces the name where a user stands, each under its own issuer', () => {
    const data = { iss: AS, sub: 'a-17/ü', id_jag: { iss: IDP, sub: 'alice', aud_sub: 'a-17/ü', jti: 'alice-1' } };
    expect(eraser.data(data)).toEqual({
      iss: AS,
      sub: erasedName(KEY, [LOCAL]),
      id_jag: { iss: IDP, sub: erasedName(KEY, [ALICE]), aud_sub: erasedName(KEY, [LOCAL]), jti: 'alice-1' },
    });
    expect(said(data)).toEqual({ named: true, mentioned: false, others: false });
    const jag = { iss: IDP, sub: 'alice', idp_client_id: 'c', aud: [AS, 'https://b.example'], aud_sub: 'a-17/ü' };
    expect(eraser.data(jag).aud_sub).toBe(erasedName(KEY, [LOCAL, ['https://b.example', null, 'a-17/ü']]));
  });

  it('leaves the same name of another issuer or tenant, and says that somebody else is named', () => {
    for (const data of [
      { iss: AS, sub: 'alice' },
      { iss: IDP, tenant: 'acme', sub: 'alice' },
      { iss: IDP, sub: 'alice2' },
    ]) {
      expect(eraser.data(data)).toEqual(data);
      expect(said(data)).toEqual({ named: false, mentioned: false, others: true });
    }
    expect(said({ iss: IDP, sub: erasedName(KEY, [[IDP, null, 'bob']]) }).others).toBe(false);
  });

  it('takes an actor for a person, unless it is the client or the agent of the event', () => {
    const of = (sub: string) =>
      said({ iss: IDP, sub: 'alice', client_id: 'c', agent: { id: 'g' }, act: { sub } }).others;
    expect([of('c'), of('g'), of('alice'), of('bob')]).toEqual([false, false, false, true]);
  });

  it('replaces authors, and what stands in selectors', () => {
    const data = {
      selector: { user: { iss: IDP, sub: 'alice' }, client: { iss: AS, client_id: 'alice' } },
      author: { caller: `person:${IDP}#alice`, person: { iss: IDP, sub: 'alice' }, on_behalf_of: 'alice' },
      cause: { source: 's', id: 'disable-alice' },
    };
    const erased = erasedName(KEY, [ALICE]);
    expect(eraser.data(data)).toEqual({
      selector: { user: { iss: IDP, sub: erased }, client: { iss: AS, client_id: 'alice' } },
      author: { caller: `person:${IDP}#${erased}`, person: { iss: IDP, sub: erased }, on_behalf_of: shown },
      cause: { source: 's', id: `disable-${shown}` },
    });
  });

  it.each([
    ['alice left', `${shown} left`],
    ['(alice) and Alice Archer', `(${shown}) and ${shown}`],
    ['malice, alice2, alice_x', 'malice, alice2, alice_x'],
    ['/users/a-17%2F%C3%BC', `/users/${shown}`],
    ['Al is too short', 'Al is too short'],
  ])('in a text: %s', (text, without) => {
    expect(eraser.text(text)).toBe(without);
    expect(eraser.data({ reason: text, route: text })).toEqual({ reason: without, route: text });
    expect(eraser.isIn({ deep: [{ [text]: 1 }] })).toBe(text !== without);
  });

  it('is the same the second time', () => {
    const data = { iss: IDP, sub: 'alice', reason: 'alice' };
    expect(eraser.data(eraser.data(data))).toEqual(eraser.data(data));
    expect(eraser.loose(eraser.loose({ a: 'alice' }))).toEqual({ a: shown });
  });
});
