import { describe, expect, it } from '@jest/globals';
import type { IdJagIssued, PresentedIdJag, TokenIssued } from '../contracts/index.js';
import type { StoredLineage } from '../projections/index.js';
import { summarize } from './lineage.js';

const IDP = 'https://idp.example';
const RAS = 'https://ras.example';
const stored = { key: 'k' as never, ix: 1n, seenSeq: 1n, source: 's', parentKey: undefined, conflict: false };
const issued = (over: Partial<IdJagIssued> = {}): IdJagIssued => ({ iss: IDP, jti: 'gr-1', sub: 'alice', client_id: 'wiki', idp_client_id: 'wiki-idp', aud: [RAS], scope: '', iat: 1, exp: 2, ...over });
const token = (idJag: PresentedIdJag): TokenIssued => ({ kind: 'access', iss: RAS, jti: 'at-1', client_id: 'wiki', aud: ['https://api.example'], iat: 1, exp: 2, id_jag: idJag });
const lineage = (stated: PresentedIdJag, recorded: IdJagIssued): StoredLineage => ({
  tokens: [{ ...stored, facts: token(stated), idJagKey: undefined }],
  idJags: [{ ...stored, facts: recorded }],
  complete: true,
  broken: false,
});

describe('the ID-JAG that a token states', () => {
  it.each<[string, PresentedIdJag, Partial<IdJagIssued>, boolean]>([
    ['its jti', { iss: IDP, jti: 'gr-1' }, {}, true],
    ['another jti', { iss: IDP, jti: 'gr-2' }, {}, false],
    ['its digest', { iss: IDP, sha256: 'd' }, { sha256: 'd' }, true],
    ['another digest', { iss: IDP, sha256: 'e' }, { sha256: 'd' }, false],
    ['its jti at another issuer', { iss: RAS, jti: 'gr-1' }, {}, false],
    ['no identity', { iss: IDP, sub: 'alice' }, {}, false],
  ])('by %s is confirmed by the recorded one: %s', (_, stated, recorded, known) => {
    expect(summarize(lineage(stated, issued(recorded))).idJagsKnown).toBe(known);
  });

  it('without an identity has a user, and contradicts nobody', () => {
    expect(summarize(lineage({ iss: IDP, sub: 'bob' }, issued()))).toMatchObject({ hasIdJag: true, usersKnown: true, contradictory: false });
  });
});
