import { describe, expect, it } from '@jest/globals';
import { createMemoryWorld, NOW } from '../../../test/conformance/memory-world.js';
import * as parties from '../../../test/conformance/parties.js';
import { digestOf } from '../../../test/conformance/signing.js';
import type { IdJagIssued, TokenIssued } from '../../contracts/index.js';
import type { StoredIdJag, StoredLineage, StoredToken } from '../../projections/index.js';
import type { RuleKey } from '../../rules/index.js';
import { clocksOf, NO_CLOCKS, skewOf, stopKeys, summarize } from './lineage.js';

const { IDP, RAS, OTHER_RAS } = parties;
const TENANT = createMemoryWorld().state.tenant(parties.TENANT.id)!;

const token = (facts: Partial<TokenIssued> = {}, over: Partial<StoredToken> = {}): StoredToken => ({
  key: 'token-1' as RuleKey,
  ix: 1n,
  seenSeq: 5n,
  source: parties.RAS_SOURCE.id,
  facts: parties.tokenFacts(NOW, { jti: 'at-1', ...facts }),
  conflict: false,
  idJagKey: undefined,
  parentKey: undefined,
  ...over,
});
const idJag = (facts: Partial<IdJagIssued> = {}, over: Partial<StoredIdJag> = {}): StoredIdJag => ({
  key: 'id-jag-1' as RuleKey,
  ix: 1n,
  seenSeq: 4n,
  source: parties.IDP_SOURCE.id,
  facts: parties.idJagFacts(NOW, facts),
  conflict: false,
  parentKey: undefined,
  ...over,
});
const lineage = (over: Partial<StoredLineage> = {}): StoredLineage => ({
  tokens: [token()],
  idJags: [idJag()],
  complete: true,
  broken: false,
  ...over,
});
/** As the RAS states an ID-JAG of which it knows no `jti`. */
const byDigest = (text: string) => ({ id_jag: { iss: IDP, sha256: digestOf(text) } });

describe('a lineage', () => {
  it('of a token and the ID-JAG that it came from is whole', () => {
    expect(summarize(lineage())).toEqual({
      complete: true,
      broken: false,
      conflict: false,
      contradictory: false,
      parentsKnown: true,
      hasIdJag: true,
      usersKnown: true,
      idJagsKnown: true,
    });
  });

  it('hands on what the reader says of it', () => {
    expect(summarize(lineage({ complete: false, broken: true }))).toMatchObject({ complete: false, broken: true });
  });

  it('without an ID-JAG has none whose user or record could be missing', () => {
    expect(summarize(lineage({ tokens: [token({ id_jag: undefined })], idJags: [] }))).toMatchObject({
      hasIdJag: false,
      usersKnown: true,
      idJagsKnown: true,
      contradictory: false,
    });
  });

  it.each<[string, Partial<StoredLineage>]>([
    ['a token', { tokens: [token(), token({}, { conflict: true })] }],
    ['an ID-JAG', { idJags: [idJag(), idJag({}, { conflict: true })] }],
  ])('has a conflict where one event contradicts another about %s of it', (_, over) => {
    expect(summarize(lineage(over)).conflict).toBe(true);
  });

  it('knows the parents that are recorded, whatever else is not', () => {
    const child = token({}, { parentKey: 'token-2' as RuleKey });
    expect(summarize(lineage({ tokens: [child] })).parentsKnown).toBe(false);
    expect(summarize(lineage({ tokens: [child, token({}, { key: 'token-2' as RuleKey })] })).parentsKnown).toBe(true);
  });

  it.each<[string, Partial<TokenIssued>, Partial<IdJagIssued>, boolean]>([
    ['by its jti', {}, {}, true],
    ['by its digest where no jti is stated', byDigest('one'), { sha256: digestOf('one') }, true],
    ['not by another jti', { id_jag: { iss: IDP, jti: 'another' } }, {}, false],
    ['not by another digest', byDigest('one'), { sha256: digestOf('another') }, false],
    [
      'not by the digest where another jti is stated',
      { id_jag: { iss: IDP, jti: 'another', sha256: digestOf('one') } },
      { sha256: digestOf('one') },
      false,
    ],
    ['not by its user', { id_jag: { iss: IDP, sub: 'u-1' } }, {}, false],
    ['not of another issuer', { id_jag: { iss: 'https://elsewhere.example', jti: 'gr-1' } }, {}, false],
    [
      'not of another issuer by its digest',
      { id_jag: { iss: 'https://elsewhere.example', sha256: digestOf('one') } },
      { sha256: digestOf('one') },
      false,
    ],
  ])('finds the ID-JAG that a RAS states %s', (_, stated, issued, found) => {
    expect(summarize(lineage({ tokens: [token(stated)], idJags: [idJag(issued)] })).idJagsKnown).toBe(found);
  });

  it('knows the user from the RAS or from the IdP', () => {
    const unnamed = token({ id_jag: { iss: IDP, jti: 'gr-1' } });
    expect(summarize(lineage({ tokens: [unnamed], idJags: [] })).usersKnown).toBe(false);
    expect(summarize(lineage({ tokens: [unnamed] })).usersKnown).toBe(true);
    expect(
      summarize(lineage({ tokens: [token({ id_jag: { iss: IDP, jti: 'gr-1', sub: 'u-1' } })], idJags: [] })),
    ).toMatchObject({ usersKnown: true, idJagsKnown: false });
  });

  it('has the user of an ID-JAG that is stated without an identity, and contradicts no recorded one', () => {
    expect(summarize(lineage({ tokens: [token({ id_jag: { iss: IDP, sub: 'bob' } })] }))).toMatchObject({
      hasIdJag: true,
      usersKnown: true,
      contradictory: false,
    });
  });

  it('is contradictory where the ID-JAG was issued to another RAS', () => {
    expect(summarize(lineage({ idJags: [idJag({ aud: [OTHER_RAS] })] })).contradictory).toBe(true);
    expect(summarize(lineage({ idJags: [idJag({ aud: [OTHER_RAS, RAS] })] })).contradictory).toBe(false);
  });

  it.each(['sub', 'tenant', 'aud_tenant', 'aud_sub', 'client_id', 'sid'] as const)(
    'is contradictory where `%s` differs, and not where one side says nothing',
    (member) => {
      const said = (stated: string | undefined, issued: string | undefined): boolean =>
        summarize(
          lineage({
            tokens: [
              token({ id_jag: { iss: IDP, jti: 'gr-1', ...(stated === undefined ? {} : { [member]: stated }) } }),
            ],
            idJags: [idJag({ [member]: issued })],
          }),
        ).contradictory;
      expect([said('a', 'b'), said('a', 'a'), said(undefined, 'b'), said('a', undefined)]).toEqual([
        true,
        false,
        false,
        false,
      ]);
    },
  );
});

describe('keys of a lineage', () => {
  it('are as old as its oldest member, and known by the least control head', () => {
    const keys = stopKeys(
      TENANT,
      lineage({ tokens: [token({}, { seenSeq: 9n })], idJags: [idJag({ iat: NOW - 777 }, { seenSeq: 8n })] }),
    )!;
    expect(keys).toMatchObject({ seenSeq: 8n, grantedAt: NOW - 777 });
    expect(
      stopKeys(TENANT, lineage({ tokens: [token({}, { seenSeq: 3n })], idJags: [idJag({}, { seenSeq: 8n })] }))!
        .seenSeq,
    ).toBe(3n);
  });

  it('of an ID-JAG that is only presented belong to nothing recorded', () => {
    const presented = parties.idJagFacts(NOW);
    const keys = stopKeys(TENANT, undefined, [presented])!;
    expect(keys.grantedAt).toBe(presented.iat);
    expect(keys.seenSeq).toBeGreaterThan(1n << 60n);
  });
});

describe('the skew of a lineage', () => {
  const world = () => {
    const made = createMemoryWorld();
    const change = (source: typeof parties.IDP_SOURCE, skew: number): void =>
      void made.apply({
        kind: 'source.changed',
        tenant: parties.TENANT.id,
        subject: source.id,
        body: { ...source, profile: { ...source.profile, skew } },
      });
    change(parties.IDP_SOURCE, 5);
    change(parties.RAS_SOURCE, 7);
    change(parties.OTHER_RAS_SOURCE, 60);
    return made;
  };

  it('names the sources that told it and the issuers of its ID-JAGs', () => {
    const clocks = clocksOf(
      lineage({
        tokens: [
          token({ id_jag: { iss: 'https://stated.example', jti: 'x' } }),
          token({ id_jag: undefined }, { source: 'another' }),
        ],
      }),
    );
    expect([...clocks.sources]).toEqual([parties.RAS_SOURCE.id, 'another', parties.IDP_SOURCE.id]);
    expect([...clocks.issuers]).toEqual(['https://stated.example', IDP]);
  });

  it.each<[string, { sources?: string[]; issuers?: string[] }, number]>([
    ['nobody', {}, 0],
    ['a source that told it', { sources: [parties.RAS_SOURCE.id] }, 7],
    ['a source that speaks for an issuer of it', { issuers: [IDP] }, 5],
    ['the largest of several', { sources: [parties.RAS_SOURCE.id, parties.IDP_SOURCE.id] }, 7],
    ['the largest of both kinds', { sources: [parties.IDP_SOURCE.id], issuers: [OTHER_RAS] }, 60],
    ['a source that is not registered', { sources: ['nobody'] }, 0],
  ])('is that of %s', (_, { sources = [], issuers = [] }, skew) => {
    expect(skewOf(world().state, TENANT, { sources: new Set(sources), issuers: new Set(issuers) })).toBe(skew);
  });

  it('is nothing where no clock took part, nor that of another tenant', () => {
    const { state } = world();
    expect(skewOf(state, TENANT, NO_CLOCKS)).toBe(0);
    expect(
      skewOf(
        state,
        { ...TENANT, id: 'another' },
        { sources: new Set([parties.RAS_SOURCE.id]), issuers: new Set([IDP]) },
      ),
    ).toBe(0);
  });
});
