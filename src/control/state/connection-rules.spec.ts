import { describe, expect, it } from '@jest/globals';
import type { EventDataOf } from '../../contracts/index.js';
import { tokenKeys, type TokenKeys } from '../../rules/index.js';
import {
  commandFromEvent,
  createControlState,
  type ControlRecord,
  type ControlState,
  type EventToRule,
  type NewControlRecord,
  type Seq,
} from '../index.js';
import { versionOf } from '../log/records.js';

const TENANT = { id: '00000000-0000-4000-8000-000000000001', key: Buffer.alloc(32, 3) };
const IDP = 'https://idp.example';
const SOURCE = { id: '00000000-0000-4000-8000-000000000002', uri: `${IDP}/events` };
const NOW = 1_800_000_000;
const AUDIENCES = Array.from({ length: 8 }, (_, nth) => `https://ras-${nth}.example`);
const RESOURCES = Array.from({ length: 8 }, (_, nth) => `https://api-${nth}.example`);
const CONNECTION: EventDataOf['connection.deleted'] = {
  iss: IDP,
  idp_client_id: 'wiki',
  aud: AUDIENCES,
  client_id: 'wiki-at-ras',
  resource: RESOURCES,
  scope: 'read',
};

type Name = 'connection.deleted' | 'connection.created' | 'connection.updated';

function given() {
  const sut = createControlState();
  let events = 0;
  const commit = (record: NewControlRecord): void =>
    sut.apply({ ...record, seq: (sut.head + 1n) as Seq, version: versionOf(record), at: NOW * 1_000 } as ControlRecord);
  commit({
    kind: 'tenant.changed',
    tenant: TENANT.id,
    subject: TENANT.id,
    body: { id: TENANT.id, name: 'acme', key: TENANT.key.toString('base64url') },
  });
  /** Commits the record of an event; returns its id. */
  const tell = (name: Name, at: number, data: Partial<typeof CONNECTION> = {}): string => {
    const id = `00000000-0000-4000-8000-00000000100${events++}`;
    const event = {
      name,
      data: { ...CONNECTION, ...data },
      id,
      timeMs: at * 1_000,
      arrivedMs: at * 1_000,
    } as EventToRule['event'];
    const { records } = commandFromEvent({ tenant: TENANT, source: SOURCE, event, content: id, newId: () => id });
    expect(records).toHaveLength(1);
    commit(records[0]!);
    return id;
  };
  return { sut, commit, tell };
}

/** Keys of a token of the RAS whose ID-JAG is known, and with it the IdP's client id. */
const traced = (ras: string, resource: string, iat = NOW + 1_000): TokenKeys =>
  tokenKeys(TENANT.key, {
    tokens: [{ iss: ras, jti: 'at', client_id: 'unknown-to-the-event', aud: [resource], iat }],
    idJags: [{ iss: IDP, jti: 'gr', sub: 'alice', idp_client_id: 'wiki', iat }],
    seenSeq: 1n << 40n,
    skew: 0,
  })!;
/** Keys of a token whose ID-JAG names no client of the IdP. */
const local = (ras: string, resource: string, client = 'wiki-at-ras', iat = NOW + 1_000): TokenKeys =>
  tokenKeys(TENANT.key, {
    tokens: [{ iss: ras, jti: 'at', client_id: client, aud: [resource], iat }],
    idJags: [{ iss: IDP, jti: 'gr', sub: 'alice', iat }],
    seenSeq: 1n << 40n,
    skew: 0,
  })!;

const isStopped = (sut: ControlState, token: TokenKeys): boolean => sut.tenant(TENANT.id)!.rules.isStopped(token, NOW);

describe('a connection is one rule', () => {
  it('stops the client by either of its ids at each of the resources, and nothing else', () => {
    const { sut, tell } = given();
    const id = tell('connection.deleted', NOW);
    for (const resource of RESOURCES) {
      for (const ras of AUDIENCES) {
        expect([isStopped(sut, traced(ras, resource)), isStopped(sut, local(ras, resource))]).toEqual([true, true]);
      }
      expect(isStopped(sut, local(AUDIENCES[0]!, resource, 'another'))).toBe(false);
      expect(isStopped(sut, local('https://elsewhere.example', resource))).toBe(false);
    }
    expect([
      isStopped(sut, traced(AUDIENCES[0]!, 'https://other.example')),
      isStopped(sut, local(AUDIENCES[0]!, 'https://other.example')),
    ]).toEqual([false, false]);
    const both = tokenKeys(TENANT.key, {
      tokens: [{ iss: AUDIENCES[0]!, jti: 'at', client_id: 'wiki-at-ras', aud: RESOURCES.slice(0, 4), iat: NOW }],
      idJags: [{ iss: IDP, jti: 'gr', idp_client_id: 'wiki', iat: NOW }],
      seenSeq: undefined,
      skew: 0,
    })!;
    expect(sut.tenant(TENANT.id)!.rules.findAllStopping(both, NOW)).toEqual([id]);
  });

  it.each<Name>(['connection.created', 'connection.updated'])(
    '%s lifts all of it, by whatever selector, for what is granted afterwards',
    (name) => {
      const { sut, tell } = given();
      tell('connection.deleted', NOW);
      tell(name, NOW + 60);
      for (const resource of RESOURCES) {
        for (const ras of AUDIENCES) {
          expect([
            isStopped(sut, traced(ras, resource, NOW + 61)),
            isStopped(sut, local(ras, resource, 'wiki-at-ras', NOW + 61)),
          ]).toEqual([false, false]);
          expect([
            isStopped(sut, traced(ras, resource, NOW + 60)),
            isStopped(sut, local(ras, resource, 'wiki-at-ras', NOW + 60)),
          ]).toEqual([true, true]);
        }
      }
    },
  );

  it("is lifted by its own connection's events alone, and for the resources that they name", () => {
    const { sut, tell } = given();
    tell('connection.deleted', NOW);
    tell('connection.created', NOW + 60, { tenant: 'another' });
    expect(isStopped(sut, traced(AUDIENCES[0]!, RESOURCES[0]!))).toBe(true);
    tell('connection.updated', NOW + 60, { resource: RESOURCES.slice(0, 2) });
    expect(RESOURCES.map((resource) => isStopped(sut, traced(AUDIENCES[0]!, resource)))).toEqual([
      false,
      false,
      true,
      true,
      true,
      true,
      true,
      true,
    ]);
  });

  it("a person's lift ends what still blocks of it, and gives back nothing that an enabling had revoked", () => {
    const { sut, commit, tell } = given();
    const id = tell('connection.deleted', NOW);
    tell('connection.updated', NOW + 60, { resource: RESOURCES.slice(0, 1) });
    expect(sut.tenant(TENANT.id)!.rules.get(id)).toMatchObject({ effect: 'block' });
    commit({
      kind: 'rule.lifted',
      tenant: TENANT.id,
      subject: id,
      body: { rule: id, resume: true, reason: 'spec', author: { caller: 'spec' } },
    });
    expect(RESOURCES.map((resource) => isStopped(sut, traced(AUDIENCES[0]!, resource, NOW)))).toEqual([
      true,
      false,
      false,
      false,
      false,
      false,
      false,
      false,
    ]);
  });

  it('is a record that no release before this one takes for another', () => {
    const { sut, tell } = given();
    tell('connection.deleted', NOW);
    const several = commandFromEvent({
      tenant: TENANT,
      source: SOURCE,
      event: { name: 'connection.deleted', data: CONNECTION, id: 'e', timeMs: 0, arrivedMs: 0 },
      content: '',
      newId: () => 'r',
    }).records[0]!;
    const alone = commandFromEvent({
      tenant: TENANT,
      source: SOURCE,
      event: { name: 'session.ended', data: { iss: IDP, sub: 'alice', sid: 's' }, id: 'e', timeMs: 0, arrivedMs: 0 },
      content: '',
      newId: () => 'r',
    }).records[0]!;
    expect([versionOf(several), versionOf(alone)]).toEqual([2, 1]);
    expect(sut.tenant(TENANT.id)!.rules.size).toBe(72);
  });

  it('keeps a bounded name of each connection that has spoken', () => {
    const { sut, tell } = given();
    tell('connection.created', NOW, {
      client_id: 'c'.repeat(500),
      tenant: 't'.repeat(500),
      aud: AUDIENCES.map((aud) => `${aud}/${'x'.repeat(400)}`),
    });
    const { speakers } = JSON.parse(sut.dump()[0]!.bytes.toString()) as { speakers: string[] };
    expect(speakers.map(({ length }) => length)).toEqual([22]);
  });
});
