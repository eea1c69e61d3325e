import { NDJSON_MEDIA_TYPE, RescindError } from '../../contracts/index.js';
import { readEvidence, readPublished } from '../../log/index.js';
import { evidenceFile, formatEvidence, type EvidenceFile } from '../../merkle/index.js';
import type { Pool } from '../../platform/postgres/index.js';
import type { Ask, Snapshot } from '../../projections/index.js';
import { inconsistent, invalid, readIndex, readIndexBehind, readParameters } from '../ask/parameters.js';
import type { Reader } from '../ask/reader.js';
import type { Report, ReportStreams } from '../reports/stream.js';

/** Entries of one archive. */
export const MAX_ARCHIVE_ENTRIES = 1_000;
/** Entries that are read and proven in one transaction; their payloads are in memory together. */
const ENTRIES_AT_ONCE = 25;

type Session = Pick<Pool, 'query'>;

/** Creates a session that reads in a snapshot. */
export function sessionOf(snapshot: Snapshot): Session {
  // The readers of the ledger call only `query`, with the tenant as their first value.
  const query = async (text: string, [, ...values]: readonly unknown[]) => ({
    rows: await snapshot.rows(text, values),
  });
  return { query } as unknown as Session;
}

/** Reads the evidence files of those of the entries that a published checkpoint covers, in ledger order. */
export async function readEvidenceFiles(snapshot: Snapshot, indexes: readonly bigint[]): Promise<EvidenceFile[]> {
  const evidence = await readEvidence(sessionOf(snapshot), snapshot.tenant, indexes, { withSigned: true });
  return evidence.map(evidenceFile);
}

/** Answers with the evidence of up to 1,000 entries, a file a line. Each must be covered by a published checkpoint. */
export function createEvidenceArchive({
  ask,
  askForReport,
  reader,
  streams,
}: {
  readonly ask: Ask;
  readonly askForReport: Ask;
  readonly reader: Reader;
  readonly streams: ReportStreams;
}) {
  return async (tenant: string, query: unknown): Promise<Report> => {
    const asked = readAsked(query);
    reader.tenantKey(tenant);
    const published = await ask(tenant, (snapshot) => readPublished(sessionOf(snapshot), tenant));
    const indexes = indexesOf(asked, published?.size ?? 0n);
    const body = await streams.open(tenant, async (write) => {
      // The first lines come before the answer begins, so that their failure is an answer.
      for (let at = 0; at === 0 || at < indexes.length; at += ENTRIES_AT_ONCE)
        await write(await readLines(askForReport, tenant, indexes.slice(at, at + ENTRIES_AT_ONCE)));
    });
    return { contentType: NDJSON_MEDIA_TYPE, fileName: 'evidence.jsonl', body };
  };
}

type Asked = { readonly indexes: readonly bigint[] } | { readonly first: bigint; readonly end: bigint | undefined };

function readAsked(query: unknown): Asked {
  const { index, ...others } = (query ?? {}) as Record<string, unknown>;
  const window = readParameters(others, ['after_index', 'before_index']);
  if (index !== undefined) {
    if (window.size > 0) throw inconsistent('give `index` or a window, not both');
    const texts = [index].flat();
    if (texts.length > MAX_ARCHIVE_ENTRIES) throw tooMany();
    const indexes = texts.map((text) => readIndex(String(text)));
    return { indexes: [...new Set(indexes)] };
  }
  const [after, before] = [window.get('after_index'), window.get('before_index')];
  return {
    first: after === undefined ? 0n : readIndexBehind(after) + 1n,
    end: before === undefined ? undefined : readIndex(before),
  };
}

/** Lists the indexes that were asked for. A window ends with what is published; an entry that is named must be. */
function indexesOf(asked: Asked, size: bigint): readonly bigint[] {
  if ('indexes' in asked) {
    const beyond = asked.indexes.find((index) => index >= size);
    if (beyond === undefined) return asked.indexes;
    throw new RescindError('not-found', {
      detail: `no published checkpoint covers entry ${beyond}: the newest covers ${size} entries`,
    });
  }
  const end = asked.end === undefined || asked.end > size ? size : asked.end;
  const count = end > asked.first ? end - asked.first : 0n;
  if (count > BigInt(MAX_ARCHIVE_ENTRIES)) throw tooMany();
  return Array.from({ length: Number(count) }, (_, nth) => asked.first + BigInt(nth));
}

const tooMany = (): RescindError =>
  invalid(`an archive has at most ${MAX_ARCHIVE_ENTRIES} entries; name fewer, or a shorter window`);

/** The checkpoint may be a newer one than before, never an older one. */
const readLines = (ask: Ask, tenant: string, indexes: readonly bigint[]): Promise<string> =>
  ask(tenant, async (snapshot) => {
    const evidence = await readEvidence(sessionOf(snapshot), tenant, indexes, { withSigned: true });
    if (evidence.length !== indexes.length)
      throw new RescindError('ledger-inconsistent', {
        detail: `the ledger of ${tenant} lacks entries it has published`,
      });
    return evidence.map(formatEvidence).join('');
  });
