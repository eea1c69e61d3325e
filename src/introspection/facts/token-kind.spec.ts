import { describe, expect, it } from '@jest/globals';
import { idJagFacts, IDP_SOURCE, RAS_SOURCE, TENANT, tokenFacts } from '../../../test/conformance/parties.js';
import type { IdJagIssued, TokenIssued } from '../../contracts/index.js';
import type { Tenant } from '../../control/index.js';
import type { StoredLineage } from '../../projections/index.js';
import type { RuleKey } from '../../rules/index.js';
import { createSharer } from './sharer.js';
import { shareKind, type TokenKind } from './token-kind.js';

const NOW = 1_795_510_800;
const key = (name: string): RuleKey => name.padEnd(16, '.') as RuleKey;
const stored = { ix: 1n, seenSeq: 1n, conflict: false, parentKey: undefined };

interface Told {
  readonly token?: Partial<TokenIssued>;
  readonly idJag?: Partial<IdJagIssued> | null;
  readonly lineage?: Partial<StoredLineage>;
  readonly source?: string;
  readonly idJagSource?: string;
  readonly conflict?: boolean;
  readonly tenant?: string;
  readonly identity?: TokenKind['identity'];
}

function kindOf(told: Told, kinds = createSharer<TokenKind>({ max: 100 })): TokenKind {
  const {
    token = {},
    idJag = {},
    lineage = {},
    source = RAS_SOURCE.id,
    idJagSource = IDP_SOURCE.id,
    conflict = false,
    tenant = TENANT.id,
    identity = 'jti',
  } = told;
  const idJagKey = idJag ? key('gr-1') : undefined;
  const whole: StoredLineage = {
    tokens: [
      { ...stored, conflict, key: key('at-1'), source, facts: tokenFacts(NOW, { jti: 'at-1', ...token }), idJagKey },
    ],
    idJags: idJag ? [{ ...stored, key: key('gr-1'), source: idJagSource, facts: idJagFacts(NOW, idJag) }] : [],
    complete: true,
    broken: false,
    ...lineage,
  };
  return shareKind({ id: tenant } as Tenant, identity, whole, kinds);
}

describe('what tokens have in common', () => {
  it('is one and the same for tokens that differ in themselves, their users and their ID-JAGs alone', () => {
    const kinds = createSharer<TokenKind>({ max: 100 });
    const one = kindOf({}, kinds);
    expect(
      kindOf(
        {
          token: { jti: 'at-2', sub: 'other', iat: NOW - 1, exp: NOW + 1 },
          idJag: { jti: 'gr-1', sub: 'u-1', sid: 's-2' },
        },
        kinds,
      ),
    ).toBe(one);
  });

  const others: readonly Told[] = [
    { tenant: 'other' },
    { identity: 'sha256' },
    { source: 'other' },
    { idJagSource: 'other' },
    { conflict: true },
    { lineage: { complete: false } },
    { lineage: { broken: true } },
    { idJag: null },
    { idJag: { iss: 'https://idp.other.example' } },
    { idJag: { sub: 'another' } },
    { token: { kind: 'refresh' } },
    { token: { iss: 'https://login.other.example' } },
    { token: { client_id: 'other' } },
    { token: { scope: undefined } },
    { token: { scope: '' } },
    { token: { scope: 'chat.read' } },
    { token: { aud: ['a', 'b'] } },
    { token: { aud: ['ab'] } },
    { token: { aud: ['a'], resource: ['b'] } },
    { token: { aud: ['a'], resource: ['c'] } },
    { token: { aud: ['1:a'] } },
    { token: { cnf: { jkt: 'x' } } },
    { token: { id_jag: undefined } },
    { token: { id_jag: { iss: 'https://idp.other.example', jti: 'gr-1', sub: 'u-1' } } },
  ];

  it('is never taken from a token that differs in it', () => {
    const kinds = createSharer<TokenKind>({ max: 100 });
    const all = [{}, ...others].map((told) => ({ alone: kindOf(told), shared: kindOf(told, kinds) }));
    for (const { alone, shared } of all) expect(shared).toEqual(alone);
    expect(new Set(all.map(({ shared }) => shared)).size).toBe(others.length + 1);
  });
});
