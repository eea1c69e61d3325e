/**
 * Must be the first statement of a transaction that reads more than once on one snapshot (REPEATABLE READ), before the snapshot is
 * taken. A rebuild that switches tables waits for such transactions and lets no new one begin. Otherwise a snapshot from before the
 * switch would see in the new tables only the rows committed by then, and would silently miss the rest.
 */
export const ENTER_GATE = 'LOCK TABLE projection_gate IN ACCESS SHARE MODE';
