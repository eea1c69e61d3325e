import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { Tenant } from '../control/index.js';
import type { StoredLineage } from '../projections/index.js';
import { createRuleIndex, ruleKey, tokenParts, type RuleKey, type TokenRef } from '../rules/index.js';
import { createFindToken, type PresentedToken } from './presented-token.js';

const TENANT: Tenant = { id: 't', name: 'default', key: Buffer.alloc(32, 1), rules: createRuleIndex() };
const TEXT = 'the text';
const sha256 = createHash('sha256').update(TEXT).digest('base64url');
const jwt: PresentedToken = { kind: 'jwt', iss: 'https://ras.example', jti: 'j', signing_input_sha256: 'signed', client_id: 'wiki' };
const RECORDED = { iss: 'https://ras.example', client_id: 'chat' };

/** Presents one text, with `recorded` in the ledger under its key. */
async function find(presented: PresentedToken, { hint, recorded }: { hint?: string; recorded?: TokenRef } = {}) {
  const asked: RuleKey[] = [];
  const known = recorded && ruleKey(TENANT.key, 'token', tokenParts(recorded));
  const lineage = { tokens: [{ facts: RECORDED }], idJags: [], complete: true, broken: false } as unknown as StoredLineage;
  const sut = createFindToken({
    verifier: { identify: async () => presented },
    lineage: { tokens: async (_, keys) => (asked.push(...keys), keys.map((key) => (key === known ? lineage : undefined))), idJags: async () => [] },
  });
  const found = await sut({ tenant: TENANT, caller: 'c', text: TEXT, hint });
  return { found, asked };
}

describe('a token that is presented', () => {
  it.each<[string, PresentedToken, TokenRef]>([
    ['opaque, by its digest', { kind: 'opaque', sha256 }, { sha256 }],
    ['a JWT with an id, by issuer and id', jwt, { iss: 'https://ras.example', jti: 'j' }],
    ['a JWT without an id, by what is signed', { ...jwt, jti: undefined }, { signing_input_sha256: 'signed' }],
    ['a JWT that its keys refuse, by its digest', { kind: 'refused' }, { sha256 }],
    ['a JWT without a key, by its digest', { kind: 'no-key' }, { sha256 }],
  ])('is found as recorded: %s', async (_, presented, ref) => {
    expect((await find(presented, { recorded: ref })).found).toEqual({ ref, recorded: true, issuedTo: RECORDED });
  });

  it.each<[string, PresentedToken, string | undefined, unknown]>([
    ['a JWT, says whose it is', jwt, undefined, { ref: { iss: 'https://ras.example', jti: 'j' }, recorded: false, issuedTo: { iss: 'https://ras.example', client_id: 'wiki' } }],
    ['a JWT that names no client, does not', { ...jwt, client_id: undefined }, undefined, { ref: { iss: 'https://ras.example', jti: 'j' }, recorded: false, issuedTo: undefined }],
    ['an opaque text, does not', { kind: 'opaque', sha256 }, undefined, { ref: { sha256 }, recorded: false, issuedTo: undefined }],
    ['a JWT whose key is not there, cannot tell', { kind: 'no-key' }, 'refresh_token', 'no-key'],
    ['a JWT that a key refuses, is no token', { kind: 'refused' }, 'access_token', 'no-token'],
    ['a JWT that a key refuses, may be a refresh token', { kind: 'refused' }, 'refresh_token', { ref: { sha256 }, recorded: false, issuedTo: undefined }],
  ])('of which nothing is recorded: %s', async (_, presented, hint, found) => {
    const one = await find(presented, hint === undefined ? {} : { hint });
    expect(one.found).toEqual(found);
    expect(one.asked).toHaveLength(1);
  });

});
