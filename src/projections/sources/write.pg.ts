import type { PoolClient } from 'pg';
import { byteaArray, int4Array, int8Array, loadSql, textArray, uuidArray } from '../../platform/postgres/index.js';
import type { ProjectedEvent } from '../event.js';
import type { KeyedEvent } from '../tokens/write.pg.js';

const WRITE = loadSql(import.meta.url, 'write-counts.sql');
const READ_LINEAGE_NEWS = loadSql(import.meta.url, 'read-lineage-news.sql');

/** An event whose own time is further than this after its arrival comes from a clock that is ahead. */
export const AHEAD_MS = 1_000;
/** An event that arrives within this time of its own time is prompt. A later one was sent late, or by a clock that is behind. */
export const PROMPT_MS = 10_000;

const BLOCK_BITS = 16n;
const BLOCK_MASK = 0xffffn;

/** The events of one source and kind, in one block and with one arrival. */
interface Run {
  readonly tenant: string;
  readonly source: string;
  readonly what: string;
  readonly arrivalMs: number;
  readonly ixs: number[];
  /** Delays of events, milliseconds; empty for news of lineages. */
  readonly delays: number[];
  /** Numbers of the source's own sequence. */
  readonly numbers: number[];
  lastIx: bigint;
  /** Least, largest and summed delay, then the numbers of events that are ahead and prompt. */
  least: number;
  most: number;
  sum: number;
  ahead: number;
  prompt: number;
}

/** News of a source: an event, or a fact about its tokens that became known. */
interface Told {
  readonly tenant: string;
  readonly source: string;
  readonly what: string;
  readonly ix: bigint;
  readonly arrivalMs: number;
}

interface News {
  readonly tenant: string;
  readonly source: string;
  readonly ix: string;
  readonly what: string;
}

/** Plans counts for each source: its events by kind and time, the delays that show how far its clock is off, and how many of its tokens have a known lineage. */
export function planSources(events: readonly ProjectedEvent[]) {
  const runs = new Map<string, Run>();
  const add = (
    { tenant, source, what, ix, arrivalMs }: Told,
    { delay, number }: { readonly delay?: number; readonly number?: number | undefined } = {},
  ): void => {
    const key = `${source}|${what}|${ix >> BLOCK_BITS}|${arrivalMs}|${tenant}`;
    let run = runs.get(key);
    if (run === undefined)
      runs.set(
        key,
        (run = {
          tenant,
          source,
          what,
          arrivalMs,
          ixs: [],
          delays: [],
          numbers: [],
          lastIx: ix,
          least: Infinity,
          most: -Infinity,
          sum: 0,
          ahead: 0,
          prompt: 0,
        }),
      );
    run.ixs.push(Number(ix & BLOCK_MASK));
    run.lastIx = ix;
    if (number !== undefined) run.numbers.push(number);
    if (delay === undefined) return;
    run.delays.push(delay);
    run.least = Math.min(run.least, delay);
    run.most = Math.max(run.most, delay);
    run.sum += delay;
    if (delay < -AHEAD_MS) run.ahead += 1;
    else if (delay <= PROMPT_MS) run.prompt += 1;
  };

  return async function write(
    client: PoolClient,
    named: { readonly tokens: readonly KeyedEvent[]; readonly idJags: readonly KeyedEvent[] },
  ): Promise<void> {
    for (const { tenant, source, name, ix, arrivalMs, atMs, firstSight, data } of events) {
      // Its source said nothing, and its clock shows nowhere.
      if (firstSight !== true)
        add({ tenant, source, what: name, ix, arrivalMs }, { delay: arrivalMs - atMs, number: data.sequence });
    }
    if (named.tokens.length > 0 || named.idJags.length > 0) {
      const arrivals = new Map(events.map(({ tenant, ix, arrivalMs }) => [`${ix}|${tenant}`, arrivalMs]));
      for (const { tenant, source, what, ix } of await readLineageNews(client, named, firstIndexes(events))) {
        add({ tenant, source, what, ix: BigInt(ix), arrivalMs: arrivals.get(`${ix}|${tenant}`)! });
      }
    }
    const rows = [...runs.values()];
    const ofDelays = (value: (run: Run) => number) =>
      int8Array(rows.map((run) => (run.delays.length === 0 ? null : value(run))));
    await client.query(WRITE, [
      uuidArray(rows.map(({ tenant }) => tenant)),
      uuidArray(rows.map(({ source }) => source)),
      textArray(rows.map(({ what }) => what)),
      int8Array(rows.map(({ lastIx }) => lastIx)),
      int8Array(rows.map(({ arrivalMs }) => arrivalMs)),
      textArray(rows.map(({ ixs }) => `{${ixs.join()}}`)),
      textArray(rows.map(({ delays }) => `{${delays.join()}}`)),
      int4Array(rows.map(({ ixs }) => ixs.length)),
      ofDelays(({ delays }) => delays.at(-1)!),
      ofDelays(({ least }) => least),
      ofDelays(({ most }) => most),
      ofDelays(({ sum }) => sum),
      int8Array(rows.map(({ ahead }) => ahead)),
      int8Array(rows.map(({ prompt }) => prompt)),
      textArray(rows.map(({ numbers }) => (numbers.length === 0 ? null : multirangeOf(numbers)))),
    ]);
  };
}

/** Writes numbers as PostgreSQL's multirange: dense numbers are one run. */
function multirangeOf(numbers: readonly number[]): string {
  const runs: [first: number, end: number][] = [];
  for (const number of [...numbers].sort((one, other) => one - other)) {
    const last = runs.at(-1);
    if (last !== undefined && number <= last[1]) last[1] = Math.max(last[1], number + 1);
    else runs.push([number, number + 1]);
  }
  return `{${runs.map(([first, end]) => `[${first},${end})`).join()}}`;
}

function firstIndexes(events: readonly ProjectedEvent[]): ReadonlyMap<string, bigint> {
  const first = new Map<string, bigint>();
  for (const { tenant, ix } of events) if (!first.has(tenant)) first.set(tenant, ix);
  return first;
}

async function readLineageNews(
  client: PoolClient,
  { tokens, idJags }: { readonly tokens: readonly KeyedEvent[]; readonly idJags: readonly KeyedEvent[] },
  first: ReadonlyMap<string, bigint>,
): Promise<readonly News[]> {
  const { rows } = await client.query<News>(READ_LINEAGE_NEWS, [
    uuidArray(tokens.map(({ event }) => event.tenant)),
    byteaArray(tokens.map(({ key }) => key)),
    int8Array(tokens.map(({ event }) => event.ix)),
    uuidArray(idJags.map(({ event }) => event.tenant)),
    byteaArray(idJags.map(({ key }) => key)),
    int8Array(idJags.map(({ event }) => event.ix)),
    int8Array(idJags.map(({ event }) => first.get(event.tenant)!)),
  ]);
  return rows;
}
