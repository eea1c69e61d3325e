import { isOwnEventName, knownData } from '../contracts/index.js';
import { findNamedEntries, type LeftOfEntry, type NamedEntry } from '../log/index.js';
import type { PoolClient } from '../platform/postgres/index.js';
import { readEntryEvent } from '../projections/index.js';
import { nothingSaid, remainderOf, type Eraser } from './person.js';
import type { ContentOf, Tenant } from './tenant.js';

/** Indexes of the ledger that one step looks at. */
const INDEXES_A_STEP = 5_000n;
/** Entries that one step erases: the head of the ledger is locked for them. */
const ENTRIES_A_STEP = 250;

export interface EntriesStep {
  /** The index behind the last entry that was looked at. */
  readonly next: bigint;
  readonly left: readonly LeftOfEntry[];
  readonly erased: number;
  /** Entries that keep their payload, because they name somebody else too. */
  readonly kept: readonly bigint[];
}

/** Finds, from index `from` on, the entries that name or mention the person, and what is left of each. */
export async function findEntries(
  client: Pick<PoolClient, 'query'>,
  { tenant, eraser, contentOf }: { readonly tenant: Tenant; readonly eraser: Eraser; readonly contentOf: ContentOf },
  { from, below }: { readonly from: bigint; readonly below: bigint },
): Promise<EntriesStep> {
  const to = from + INDEXES_A_STEP < below ? from + INDEXES_A_STEP : below;
  const left: LeftOfEntry[] = [];
  for (const entry of await findNamedEntries(client, tenant.id, { from, to, texts: eraser.texts })) {
    const one = leftOf(entry, tenant, eraser, contentOf);
    if (one === undefined) continue;
    left.push(one);
    if (left.length === ENTRIES_A_STEP) return stepOf(left, entry.index + 1n);
  }
  return stepOf(left, to);
}

function stepOf(left: readonly LeftOfEntry[], next: bigint): EntriesStep {
  const withPayload = left.filter(({ entry }) => entry.stored !== undefined);
  const kept = withPayload.filter(({ eraseUnder }) => eraseUnder === undefined).map(({ entry }) => entry.index);
  return { next, left, erased: withPayload.length - kept.length, kept };
}

/** Returns what is left of an entry; undefined if it neither names nor mentions the person. */
function leftOf(entry: NamedEntry, tenant: Tenant, eraser: Eraser, contentOf: ContentOf): LeftOfEntry | undefined {
  const event = readEntryEvent(entry, tenant.id);
  if (event === undefined) return undefined;
  const { name, atMs } = event;
  // Texts that stand for the payload from an earlier erasure on count in its place: who was erased then is nobody else now.
  const content = entry.payload === undefined ? undefined : (JSON.parse(contentOf(entry.payload)) as Content);
  const said = nothingSaid();
  eraser.data(entry.remainder === undefined && content !== undefined ? content.data : event.data, said);
  const id = eraser.text(event.id, said);
  if (!said.named && !said.mentioned && (content === undefined || !eraser.isIn(content))) return undefined;
  const data = eraser.data(isOwnEventName(name) ? event.data : (knownData(name, event.data) as object));
  return {
    entry,
    remainder: remainderOf({ id, time: new Date(atMs).toISOString(), data }),
    eraseUnder: said.others ? undefined : content?.id,
  };
}

/** The content of an event as it came. */
interface Content {
  readonly id: string;
  readonly data: object;
}
