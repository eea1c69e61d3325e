import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createControlLog, createControlState, writeSnapshot } from '../../../src/control/index.js';
import { RAS } from '../../conformance/parties.js';
import { startFeedService, type FeedService } from '../feeds/feed-service.js';

const INACTIVE = { active: false };

describe('a second process', () => {
  let service: FeedService;
  beforeAll(async () => {
    service = await startFeedService();
  });
  afterAll(() => service.stop());

  /** Writes a snapshot, as `keepSnapshots` does after more records than a spec would order. */
  async function snapshot(): Promise<boolean> {
    const { pool } = service.database;
    const state = createControlState();
    for (const record of await createControlLog({ pool }).readAfter(state.head)) state.apply(record);
    return writeSnapshot(pool, state, 1);
  }

  it('starts from a snapshot and the records after it, and answers like the first', async () => {
    const [before, lifted, after, untouched] = await Promise.all(
      ['before', 'lifted', 'after', 'untouched'].map((sub) => service.issue({ sub })),
    );
    const block = (sub: string): Promise<{ id: string; seq: string }> => service.order({ user: { iss: RAS, sub } });
    const { seq } = await block('before');
    const { id } = await block('lifted');
    expect(await snapshot()).toBe(true);
    await block('after');
    await service.call('POST', `/v1/revocations/${id}/lift`, 'security', { reason: 'spec', resume: true });
    // Only the snapshot still has this rule: a process that read the log from its start would not know it.
    await service.database.pool.query('DELETE FROM control_log WHERE seq = $1', [seq]);

    const second = await service.another();
    const tokens = [before, lifted, after, untouched].map((one) => one!);
    const answers = await Promise.all(tokens.map((token) => service.introspect(token)));
    expect(answers).toEqual([
      INACTIVE,
      expect.objectContaining({ active: true }),
      INACTIVE,
      expect.objectContaining({ active: true }),
    ]);
    expect(await Promise.all(tokens.map((token) => service.introspect(token, second.url)))).toEqual(answers);
    await block('untouched');
    expect(await service.introspect(untouched!, second.url)).toEqual(INACTIVE);
  });
});
