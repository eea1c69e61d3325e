/**
 * The first statement of a transaction that reads more than once on one snapshot (REPEATABLE READ), before the snapshot is taken. A rebuild
 * that switches tables waits for who is inside and lets nobody in meanwhile: a snapshot from before the switch would find in the new
 * tables only what was written there by then, and take the rest for never said.
 */
export const ENTER_GATE = 'LOCK TABLE projection_gate IN ACCESS SHARE MODE';
