import { setTimeout as delay } from 'node:timers/promises';
import { NDJSON_MEDIA_TYPE } from '../../contracts/index.js';
import type { OcsfReader } from '../../ocsf/index.js';
import type { Ask } from '../../projections/index.js';
import { readParameters } from '../ask/parameters.js';
import type { Reader } from '../ask/reader.js';
import type { Report, ReportStreams, Write } from '../reports/stream.js';
import { findIndexWindow, INDEX_WINDOW_PARAMETERS, readIndexWindow } from './window.pg.js';

/** A reader that takes nothing for so long is given up, because it holds the place of a report. */
export const STALLED_MS = 10_000;

/** Entries of a window as OCSF events, a line each, with what is needed to go on after them. */
export interface OcsfExport extends Report {
  /** Entries in the window; those without an OCSF form have no line. */
  readonly entries: bigint;
  /** End of the window, exclusive. */
  readonly beforeIndex: bigint;
  /** `after_index` of the entries that follow the window. Undefined if the window is empty and nothing lies in front of it. */
  readonly nextAfter: bigint | undefined;
}

/**
 * Streams a window of the ledger as OCSF. It holds no transaction: entries never change, so that an export of any length costs the
 * database one short statement at a time.
 */
export function createOcsfExport({
  ask,
  reader,
  streams,
  ocsf,
  stalledMs = STALLED_MS,
}: {
  readonly ask: Ask;
  readonly reader: Reader;
  readonly streams: ReportStreams;
  readonly ocsf: OcsfReader;
  readonly stalledMs?: number;
}) {
  return async (tenant: string, query: unknown): Promise<OcsfExport> => {
    const asked = readIndexWindow(readParameters(query, INDEX_WINDOW_PARAMETERS));
    reader.tenantKey(tenant);
    const { first, end } = await ask(tenant, (snapshot) => findIndexWindow(snapshot, asked));
    const body = await streams.open(tenant, async (write) => {
      // The first page comes before the answer begins, so that its failure is an answer.
      for (let next = first; ; ) {
        const page = await ocsf.read(tenant, next, end);
        await inTime(write, page.events.map((event) => `${JSON.stringify(event)}\n`).join(''), stalledMs);
        next = page.next;
        if (next >= end) return;
      }
    });
    return {
      contentType: NDJSON_MEDIA_TYPE,
      fileName: `ocsf-${first}-${end}.jsonl`,
      body,
      entries: end - first,
      beforeIndex: end,
      nextAfter: end === 0n ? undefined : end - 1n,
    };
  };
}

async function inTime(write: Write, text: string, stalledMs: number): Promise<void> {
  const written = new AbortController();
  const stalled = delay(stalledMs, undefined, { signal: written.signal }).then(
    () => {
      throw new Error('the reader takes nothing');
    },
    () => undefined,
  );
  try {
    await Promise.race([write(text), stalled]);
  } finally {
    written.abort();
  }
}
