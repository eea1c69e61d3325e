import { expect, it } from '@jest/globals';
import { createMemoryWorld, NOW } from '../../test/conformance/memory-world.js';
import * as parties from '../../test/conformance/parties.js';
import { digestOf } from '../../test/conformance/signing.js';

it('facts with complete lineage are taken from memory for 10 min, then read anew', async () => {
  let clockMs = 0;
  const world = createMemoryWorld({ monotonic: () => clockMs });
  world.recordIdJag(parties.idJagFacts(NOW));
  world.recordToken(parties.tokenFacts(NOW, { sha256: digestOf('opaque') }));
  const isRead = async (): Promise<boolean> => {
    const before = world.statements;
    expect((await world.ask('opaque')).body).toContain('"active":true');
    return world.statements > before;
  };
  const reads: boolean[] = [await isRead(), await isRead()];
  clockMs = 599_000;
  reads.push(await isRead());
  clockMs = 600_000;
  reads.push(await isRead(), await isRead());
  expect(reads).toEqual([true, false, false, true, false]);
});
