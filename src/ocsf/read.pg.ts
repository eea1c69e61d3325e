import type { Pool } from 'pg';
import { isOwnEventName, knownData } from '../contracts/index.js';
import { readEntries } from '../log/index.js';
import { readAttributions, readEntryEvent, type Ask } from '../projections/index.js';
import type { LedgerEvent, OcsfEvent } from './event.js';
import { toOcsf } from './to-ocsf.js';
import { VERSION } from '../version.js';

/** Entries that are read at a time. It bounds the memory of a reader, whatever the length of its window. */
const PAGE = 1_000n;

export interface OcsfPage {
  readonly events: readonly OcsfEvent[];
  /** The index behind the last entry that was read. Entries without an OCSF form have no event. */
  readonly next: bigint;
}

export interface OcsfReaderOptions {
  readonly pool: Pick<Pool, 'query'>;
  /** Reads attributions, of which some may lie in the archive alone. */
  readonly ask: Ask;
  /** Name of a tenant, and of a source; ids if they are not registered. */
  readonly tenantName: (tenant: string) => string;
  readonly sourceName: (source: string) => string;
}

/** Reads a tenant's ledger as OCSF events, in ledger order. */
export interface OcsfReader {
  /** Reads the next entries from index `from` to `to` (exclusive): at least one, if there is one. */
  read(tenant: string, from: bigint, to: bigint): Promise<OcsfPage>;
}

export function createOcsfReader({ pool, ask, tenantName, sourceName }: OcsfReaderOptions): OcsfReader {
  return {
    async read(tenant, from, to) {
      if (from >= to) return { events: [], next: from };
      const entries = await readEntries(pool, tenant, from, from + PAGE < to ? from + PAGE : to);
      const next = entries.at(-1)!.index + 1n;
      const attributions = await ask(tenant, (snapshot) => readAttributions(snapshot, from, next));
      const events = entries.flatMap((entry): OcsfEvent[] => {
        const said = readEntryEvent(entry, tenant);
        // An erased payload says nothing any more.
        if (!said) return [];
        const { name, id, atMs, data } = said;
        const event = {
          name,
          id,
          atMs,
          // Members that this release does not know could hold anything.
          data: isOwnEventName(name) ? data : knownData(name, data),
          arrivalMs: entry.arrivalMs,
          index: entry.index,
          tenant: tenantName(tenant),
          source: isOwnEventName(name) ? 'rescind' : sourceName(entry.source),
          attribution: attributions.get(entry.index),
        } as LedgerEvent;
        const mapped = toOcsf(event, { version: VERSION });
        return mapped ? [mapped] : [];
      });
      return { events, next };
    },
  };
}
