/**
 * Must be the first statement of a transaction that reads more than once on one snapshot (REPEATABLE READ), before the snapshot is
 * taken. A rebuild that switches tables waits for such transactions and lets no new one begin. Otherwise a snapshot from before the
 * switch would see in the new tables only the rows committed by then, and would silently miss the rest.
 */
export const ENTER_GATE = 'LOCK TABLE projection_gate IN ACCESS SHARE MODE';

/** Advisory lock of the one rebuild that may run; an arbitrary number. The rebuild also holds the next number while it switches. */
export const REBUILD_LOCK = 7305808869231650670n;
