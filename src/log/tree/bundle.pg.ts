import { RescindError } from '../../contracts/index.js';
import { encodeBundle, encodeEntry, TILE_WIDTH } from '../../merkle/index.js';
import type { Pool } from '../../platform/postgres/index.js';

const ENTRIES =
  'SELECT ix, arrival, type, source, commitment FROM entry WHERE tenant = $1 AND ix >= $2 AND ix < $3 ORDER BY ix';

/** Reads an entry bundle, encoded. Throws `ledger-inconsistent` if an entry is missing. */
export async function readBundle(
  session: Pick<Pool, 'query'>,
  tenant: string,
  { n, width }: { readonly n: bigint; readonly width: number },
): Promise<Buffer> {
  const from = n * BigInt(TILE_WIDTH);
  const { rows } = await session.query<{
    ix: string;
    arrival: string;
    type: string;
    source: string;
    commitment: Buffer;
  }>(ENTRIES, [tenant, String(from), String(from + BigInt(width))]);
  if (rows.length !== width)
    throw new RescindError('ledger-inconsistent', { detail: `the ledger of ${tenant} lacks entries of bundle ${n}` });
  return encodeBundle(
    rows.map(({ ix, arrival, type, source, commitment }) =>
      encodeEntry({ index: BigInt(ix), arrivalMs: BigInt(arrival), type, source, commitment }),
    ),
  );
}
