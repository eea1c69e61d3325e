import { describe, expect, it } from '@jest/globals';
import type { ControlRecord } from '../../control/index.js';
import { erasedName } from '../../rules/index.js';
import { isSameRecord } from './control-message.js';

const body = {
  id: 'r-1',
  effect: 'block',
  shape: 8,
  key: 'AAAA',
  selector: { user: { iss: 'https://idp.example', sub: 'alice' } },
  reauthenticate: false,
  reason: 'alice left',
  author: { caller: 'admin' },
  origin: { source: 's-1', event: 'e-alice', at: 1 },
};
const record = (over: object = {}, inBody: object = {}): ControlRecord =>
  ({
    seq: 7n,
    tenant: 't-1',
    kind: 'rule.ordered',
    subject: 'r-1',
    version: 1,
    at: 1_000,
    body: { ...body, ...inBody },
    ...over,
  }) as never;
const erased = {
  selector: {
    user: {
      iss: 'https://idp.example',
      sub: erasedName(Buffer.alloc(32, 7), [['https://idp.example', null, 'alice']]),
    },
  },
  reason: 'erased person AbCdEfGh left',
  origin: { ...body.origin, event: 'e-erased person AbCdEfGh' },
};

describe('a control record', () => {
  it('is the one that was published, also after a person was erased from it', () => {
    expect(isSameRecord(record(), record())).toBe(true);
    expect(isSameRecord(record(), record({}, erased))).toBe(true);
    expect(isSameRecord(record({}, erased), record())).toBe(true);
  });

  it('is another one if anything but names and reasons differs', () => {
    const others = [
      record({ seq: 8n }, erased),
      record({ at: 1_001 }, erased),
      record({ tenant: 't-2' }, erased),
      record({}, { ...erased, key: 'BBBB' }),
      record({}, { ...erased, effect: 'revoke' }),
      record({}, { ...erased, origin: { ...erased.origin, at: 2 } }),
      // Names alone are compared too, unless one was erased.
      record({}, { reason: 'another' }),
    ];
    for (const other of others) expect(isSameRecord(record(), other)).toBe(false);
  });
});
