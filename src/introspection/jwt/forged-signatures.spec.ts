import { beforeEach, describe, expect, it } from '@jest/globals';
import { createMemoryWorld, NOW, type MemoryWorld } from '../../../test/conformance/memory-world.js';
import * as parties from '../../../test/conformance/parties.js';
import { signJwt } from '../../../test/conformance/signing.js';

describe('forged signatures of one caller', () => {
  const BURST = 64;
  const MAX_QUEUED = 2_000;
  let world: MemoryWorld;
  let ms: number;
  let kinds: string[];
  const waits = parties.basic('chat-api-waits');
  beforeEach(() => {
    [ms, kinds] = [0, []];
    world = createMemoryWorld({ monotonic: () => ms });
    world.recordToken(parties.tokenFacts(NOW, { jti: 'recorded' }));
  });
  /** Each another text, and none by a key of the issuer; the identity is of a recorded token or of nobody's. */
  const forge = (count: number, jti: string): Promise<unknown>[] => {
    const claims = parties.claimsOf(parties.tokenFacts(NOW, { jti }));
    return Array.from(
      { length: count },
      async (_, nth) =>
        void kinds.push((await world.ask(signJwt(parties.strangerKey, { ...claims, nth }), waits)).kind),
    );
  };
  const answered = async (count: number): Promise<void> => {
    while (kinds.length < count) await new Promise(setImmediate);
  };

  it('are checked within its bound: what waits is checked in time, or not answered', async () => {
    const forged = forge(BURST + MAX_QUEUED + 3, 'recorded');
    await answered(BURST + 3);
    expect(kinds.filter((kind) => kind === 'undecided')).toHaveLength(3);
    ms = 500;
    await answered(BURST + 3 + 50);
    ms = 1_999;
    await answered(2 * BURST + 3 + 50);
    expect(kinds.filter((kind) => kind === 'undecided')).toHaveLength(3);
    ms = 2_000;
    await Promise.all(forged);
    expect(kinds.filter((kind) => kind === 'undecided').length).toBeGreaterThan(1_800);
  });

  it.each([
    ['of a recorded token', 'recorded', 'new'],
    ['of a token that nobody recorded', 'new', 'recorded'],
  ])('%s keep no other waiting', async (_, forged, good) => {
    const asked = forge(BURST + 1, forged);
    await answered(BURST);
    if (good === 'new') world.recordToken(parties.tokenFacts(NOW, { jti: 'another' }));
    const facts = parties.tokenFacts(NOW, { jti: good === 'new' ? 'unrecorded' : good });
    const answer = world.ask(signJwt(parties.rasKey, parties.claimsOf(facts)), waits);
    if (good === 'new') setTimeout(() => world.recordToken(facts), 1);
    expect((await answer).body).toContain('"active":true');
    expect(kinds).toHaveLength(BURST);
    ms = 1_000;
    await Promise.all(asked);
  });
});
