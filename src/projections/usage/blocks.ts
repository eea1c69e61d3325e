/** Usage is counted by blocks of 65,536 indexes. Once the ledger's head has left a block, the block never changes again. */
export const BLOCK_BITS = 16n;
/** Uses of users are summed by blocks of 16,384 indexes. Every question reads the uses after the last closed block one by one. */
export const USER_BLOCK_BITS = 14n;
/** Every so many blocks a snapshot sums up the pairs of client and resource in all blocks below it. */
export const BLOCKS_A_SNAPSHOT = 16n;

/** Returns the last block at which a snapshot is due once `ix` is in the ledger; 0 if none is. */
export const snapshotAt = (ix: bigint): number => Number(((ix >> BLOCK_BITS) / BLOCKS_A_SNAPSHOT) * BLOCKS_A_SNAPSHOT);

/** Returns the first index of the block that an index lies in. */
export const firstOfBlock = (index: bigint): bigint => (index >> BLOCK_BITS) << BLOCK_BITS;
