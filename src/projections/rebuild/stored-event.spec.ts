import { describe, expect, it } from '@jest/globals';
import type { LogIndex, StoredEntry, StoredPayload } from '../../log/index.js';
import { createSourceResources, readStoredEvent } from './stored-event.js';

const DATA = { iss: 'https://idp.example', sid: 's-1', sub: 'u-1' };
const ENVELOPE = {
  specversion: '1.0',
  type: 'dev.rescind.session.ended.v1',
  source: 'urn:idp',
  id: 'e-1',
  time: '2026-11-24T12:00:00Z',
};
const TENANT = { id: '0b7f8e4e-6c1c-4b7e-9b1e-000000000001', key: Buffer.alloc(32) };

function dataOf(payload: Omit<StoredPayload, 'headers'> & Partial<StoredPayload>): unknown {
  const entry: StoredEntry = {
    index: 7n as LogIndex,
    arrivalMs: 1,
    type: ENVELOPE.type,
    source: TENANT.id,
    payload: { headers: [], ...payload },
  };
  const read = readStoredEvent(
    entry,
    TENANT,
    createSourceResources(() => ({ resources: [], profile: {} })),
  );
  return read && 'said' in read ? read.said.data : undefined;
}
const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const headers = [
  ['ce_id', Buffer.from('e-1')],
  ['ce_time', Buffer.from(ENVELOPE.time)],
] as const;

describe('an entry is read again as its writers took it', () => {
  it.each<[string, () => unknown]>([
    ['structured', () => dataOf({ mode: 'structured', bytes: bytes({ ...ENVELOPE, data: DATA }) })],
    [
      'with encoded data',
      () => dataOf({ mode: 'structured', bytes: bytes({ ...ENVELOPE, data_base64: bytes(DATA).toString('base64') }) }),
    ],
    [
      'with attributes that are null',
      () => dataOf({ mode: 'batch', bytes: bytes({ ...ENVELOPE, subject: null, data_base64: null, data: DATA }) }),
    ],
    ['binary', () => dataOf({ mode: 'binary', bytes: bytes(DATA), headers })],
    [
      'with members that this release does not know',
      () => dataOf({ mode: 'binary', bytes: bytes({ ...DATA, later: { a: 1 } }), headers }),
    ],
  ])('%s', (_what, read) => expect(read()).toEqual(DATA));
});

describe('the audiences of a token are read again as its source’s', () => {
  const API = 'https://api.example';
  const TOKEN = {
    kind: 'access',
    iss: 'https://ras.example',
    jti: 'j',
    client_id: 'wiki',
    iat: 1_790_000_000,
    exp: 1_790_000_900,
  };
  const entryOf = (
    type: string,
    source: string,
    data: object,
    mode: 'own' | 'structured' = 'structured',
  ): StoredEntry => ({
    index: 7n as LogIndex,
    arrivalMs: 1,
    type,
    source,
    payload: { mode, headers: [], bytes: bytes({ ...ENVELOPE, type, data }) },
  });

  /** Returns the audience of a token event as read again; its source was registered with `API` and then changed. */
  function audienceOf(aud: readonly string[], changes: readonly object[] = []): unknown {
    const resources = createSourceResources(() => ({ resources: [API], profile: {} }));
    const read = (entry: StoredEntry) => readStoredEvent(entry, TENANT, resources);
    for (const after of changes)
      read(
        entryOf(
          'dev.rescind.source.changed.v1',
          TENANT.id,
          { id: 's', seq: '1', change: 'updated', author: { caller: 'admin' }, after },
          'own',
        ),
      );
    const event = read(entryOf('dev.rescind.token.issued.v1', 's', { ...TOKEN, aud })) as {
      said: { data: { aud: unknown }; sourceResources: unknown };
    };
    return event.said.data.aud;
  }

  it.each<[string, readonly string[], readonly object[], readonly string[]]>([
    ['a foreign one is left out', ['account', API], [], [API]],
    [
      'one that the source has since',
      ['account', 'https://b.example'],
      [{ resources: [API, 'https://b.example'] }],
      ['https://b.example'],
    ],
    ['the default resource of a change', [], [{ resources: [API], profile: { default_resource: API } }], [API]],
    [
      'the default resource beside ignored ones',
      ['account'],
      [{ resources: [API], profile: { default_resource: API, ignored_audiences: ['account'] } }],
      [API],
    ],
    [
      'a default resource that was taken back',
      ['account', API],
      [{ resources: [API], profile: { default_resource: API } }, { resources: [API] }],
      [API],
    ],
    ['one that the source was given a moment before its entry', ['https://b.example'], [], ['https://b.example']],
  ])('%s', (_, aud, changes, read) => expect(audienceOf(aud, changes)).toEqual(read));
});
