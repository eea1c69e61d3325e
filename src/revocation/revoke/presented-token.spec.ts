import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { Tenant } from '../../control/index.js';
import type { StoredLineage } from '../../projections/index.js';
import { createRuleIndex, ruleKey, tokenParts, type RuleKey, type TokenRef } from '../../rules/index.js';
import { createFindToken, type PresentedToken } from './presented-token.js';

const TENANT: Tenant = { id: 't', name: 'default', key: Buffer.alloc(32, 1), rules: createRuleIndex(), version: 1 };
const TEXT = 'the text';
const sha256 = createHash('sha256').update(TEXT).digest('base64url');
const jwt: PresentedToken = {
  kind: 'jwt',
  iss: 'https://ras.example',
  jti: 'j',
  signing_input_sha256: 'signed',
  client_id: 'wiki',
};
const RECORDED = { iss: 'https://ras.example', client_id: 'chat' };

/** Presents one text, with `recorded` in the ledger under its key. */
async function find(presented: PresentedToken, { hint, recorded }: { hint?: string; recorded?: TokenRef } = {}) {
  const asked: RuleKey[] = [];
  const known = recorded && ruleKey(TENANT.key, 'token', tokenParts(recorded));
  const lineage = {
    tokens: [{ facts: RECORDED }],
    idJags: [],
    complete: true,
    broken: false,
  } as unknown as StoredLineage;
  const sut = createFindToken({
    verifier: { identify: async () => presented },
    lineage: {
      tokens: async (_, keys) => (asked.push(...keys), keys.map((key) => (key === known ? lineage : undefined))),
      idJags: async () => [],
    },
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
    [
      'a JWT, says whose it is',
      jwt,
      undefined,
      {
        ref: { iss: 'https://ras.example', jti: 'j' },
        recorded: false,
        issuedTo: { iss: 'https://ras.example', client_id: 'wiki' },
      },
    ],
    [
      'a JWT that names no client, does not',
      { ...jwt, client_id: undefined },
      undefined,
      { ref: { iss: 'https://ras.example', jti: 'j' }, recorded: false, issuedTo: undefined },
    ],
    [
      'an opaque text, does not',
      { kind: 'opaque', sha256 },
      undefined,
      { ref: { sha256 }, recorded: false, issuedTo: undefined },
    ],
    ['a JWT whose key is not there, cannot tell', { kind: 'no-key' }, 'refresh_token', 'no-key'],
    ['a JWT that a key refuses, is no token', { kind: 'refused' }, 'access_token', 'no-token'],
    [
      'a JWT that a key refuses, may be a refresh token',
      { kind: 'refused' },
      'refresh_token',
      { ref: { sha256 }, recorded: false, issuedTo: undefined },
    ],
  ])('of which nothing is recorded: %s', async (_, presented, hint, found) => {
    const one = await find(presented, hint === undefined ? {} : { hint });
    expect(one.found).toEqual(found);
    expect(one.asked).toHaveLength(1);
  });
});

describe('what one caller presents in vain', () => {
  /** Presents that many texts. Counts the answered and the refused ones at each moment of the clock, in milliseconds. */
  async function present(
    presented: PresentedToken,
    texts: number,
    moments: readonly number[],
  ): Promise<(readonly [ms: number, answered: number, refused: number])[]> {
    let ms = 0;
    const counts = { answered: 0, refused: 0 };
    const sut = createFindToken({
      verifier: { identify: async () => presented },
      lineage: { tokens: async (_, keys) => keys.map(() => undefined), idJags: async () => [] },
      monotonic: () => ms,
    });
    const ask = (caller: string) => sut({ tenant: TENANT, caller, text: TEXT, hint: undefined });
    const settle = async (): Promise<void> => {
      // A queue is checked every 10 ms, and everything that is due is answered in the same turn.
      for (let quiet = 0, before = ''; quiet < 5; quiet = JSON.stringify(counts) === before ? quiet + 1 : 0) {
        before = JSON.stringify(counts);
        await new Promise((resolve) => setTimeout(resolve, 12));
      }
    };
    const seen: (readonly [number, number, number])[] = [];
    for (let text = 0; text < texts; text++) {
      void ask('c').then(
        () => (counts.answered += 1),
        () => (counts.refused += 1),
      );
      // Texts that verify leave room for the next ones.
      if (text % 1_000 === 999) await settle();
    }
    for (const moment of moments) {
      ms = moment;
      await settle();
      seen.push([moment, counts.answered, counts.refused]);
    }
    await ask('another');
    return seen;
  }

  it('is looked for 1,000 times at once and 1,000 times a second', async () => {
    expect(await present({ kind: 'opaque', sha256 }, 3_010, [0, 500, 1_000, 2_000])).toEqual([
      [0, 1_000, 10],
      [500, 1_500, 10],
      [1_000, 2_000, 10],
      [2_000, 3_000, 10],
    ]);
  });

  it('is looked for within 2 s, or refused', async () => {
    expect(await present({ kind: 'opaque', sha256 }, 3_000, [0, 1_999, 2_000])).toEqual([
      [0, 1_000, 0],
      [1_999, 2_000, 0],
      [2_000, 2_001, 999],
    ]);
  });

  it('is verified 64 times at once and 100 times a second, within 2 s, or refused', async () => {
    expect(await present({ kind: 'refused' }, 2_100, [0, 500, 1_000, 1_500, 1_990, 2_000])).toEqual([
      [0, 64, 36],
      [500, 114, 36],
      [1_000, 164, 36],
      [1_500, 214, 36],
      [1_990, 263, 36],
      [2_000, 264, 1_836],
    ]);
  });
});
