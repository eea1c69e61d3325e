/** Usage is counted by blocks of 65,536 indexes: a block that the ledger's head has left never changes again. */
export const BLOCK_BITS = 16n;
/** Of users by 16,384: what has come since the last one is read use by use, for every question. */
export const USER_BLOCK_BITS = 14n;
/** Every so many blocks the pairs are summed up to there. */
export const BLOCKS_A_SNAPSHOT = 16n;

/** The last block at which a snapshot is due once `ix` is in the ledger; 0: none yet. */
export const snapshotAt = (ix: bigint): number => Number((ix >> BLOCK_BITS) / BLOCKS_A_SNAPSHOT * BLOCKS_A_SNAPSHOT);
