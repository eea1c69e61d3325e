import { loadSql } from '../../platform/postgres/index.js';
import { USER_BLOCK_BITS } from './blocks.js';
import type { UsageMoment } from './read.pg.js';

const CLOSED = loadSql(import.meta.url, 'used-grants.sql');
const OPEN = loadSql(import.meta.url, 'open-used-grants.sql');
const END = 'SELECT blk FROM use_usr_end WHERE tenant = $1';

/** A grant that was used: the end of its last allowed use, epoch seconds. */
export interface UsedGrant {
  readonly [column: string]: unknown;
  readonly usr: number;
  readonly client: number;
  readonly res: number;
  readonly last: number;
}

/** Returns the index below which the uses of all grants are summed up, as of the moment. */
export async function endOfUserBlocks({ rows, index }: UsageMoment): Promise<bigint> {
  const [end] = await rows<{ blk: number }>(END);
  const asked = index >> USER_BLOCK_BITS;
  const closed = BigInt(end?.blk ?? 0);
  return (closed < asked ? closed : asked) << USER_BLOCK_BITS;
}

/** Reads the grants that were used between two ends of blocks. The answer never changes. */
export const readUsedGrants = ({ rows }: UsageMoment, from: bigint, to: bigint): Promise<UsedGrant[]> =>
  rows<UsedGrant>(CLOSED, [Number(from >> USER_BLOCK_BITS), Number(to >> USER_BLOCK_BITS)]);

/** Reads the grants that were used behind the end of blocks. Together with those below, they are all as of the moment. */
export const readNewlyUsedGrants = ({ rows, index }: UsageMoment, end: bigint): Promise<UsedGrant[]> =>
  rows<UsedGrant>({ text: OPEN, uses: () => [{ index, attributed: true, since: end, outcome: 1 }] }, [
    String(index),
    String(end),
  ]);
