import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import type { OcsfEvent, OcsfReader } from '../../ocsf/index.js';
import type { Ask } from '../../projections/index.js';
import type { Reader } from '../ask/reader.js';
import { createReportStreams } from '../reports/stream.js';
import { createOcsfExport } from './ocsf.pg.js';

const HEAD = 1_000n;
/** More than a stream and a socket hold. */
const WIDE = 'x'.repeat(100_000);

/** An export of a ledger of {@link HEAD} entries, one in a page. */
function exportOf({ stalledMs, failsAt }: { readonly stalledMs?: number; readonly failsAt?: bigint } = {}) {
  const read: bigint[] = [];
  const ocsf: OcsfReader = {
    read: (_, from, to) => {
      if (from === failsAt) return Promise.reject(new Error('the ledger cannot be read'));
      read.push(from);
      const event = { metadata: { sequence: Number(from) }, more: WIDE } as unknown as OcsfEvent;
      return Promise.resolve(from < to ? { events: [event], next: from + 1n } : { events: [], next: from });
    },
  };
  const ask = ((_: string, question: (snapshot: object) => unknown) =>
    question({ index: HEAD, at: 1 })) as unknown as Ask;
  const reader = { tenantKey: () => Buffer.alloc(32) } as unknown as Reader;
  const run = createOcsfExport({
    ask,
    reader,
    streams: createReportStreams(),
    ocsf,
    ...(stalledMs === undefined ? {} : { stalledMs }),
  });
  return { read, run: (query: object = {}) => run('acme', query) };
}

const closed = (body: Readable): Promise<void> => new Promise((resolve) => void body.once('close', resolve));

describe('an export', () => {
  it('reads no further than its reader does, and gives up a reader that takes nothing', async () => {
    const { read, run } = exportOf({ stalledMs: 20 });
    const { body } = await run();
    await closed(body);
    expect(read.length).toBeLessThan(100);
    expect(body.errored).toMatchObject({ message: 'the reader takes nothing' });
  });

  it('makes room for others when it ends, however it ends', async () => {
    const { run } = exportOf({ stalledMs: 20 });
    for (let nth = 0; nth < 4; nth += 1) await closed((await run()).body);
    for (let nth = 0; nth < 4; nth += 1) await text((await run({ before_index: '3' })).body);
  });

  it('is refused if its first page fails, and cut off if a later one does', async () => {
    await expect(exportOf({ failsAt: 0n }).run()).rejects.toThrow('cannot be read');
    const { body } = await exportOf({ failsAt: 2n }).run();
    await expect(text(body)).rejects.toThrow('cannot be read');
  });

  it('of nothing is an empty answer that says how to go on', async () => {
    const { body, entries, nextAfter } = await exportOf().run({ after_index: '999' });
    expect([await text(body), entries, nextAfter]).toEqual(['', 0n, 999n]);
  });
});
