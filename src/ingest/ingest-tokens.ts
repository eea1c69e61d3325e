import type { Caller } from '../control/index.js';

/** Injection token of the HTTP intake. */
export const INTAKE = Symbol('rescind.intake');
/** Injection token of the waits for published checkpoints. */
export const PUBLICATION = Symbol('rescind.publication');
/** Injection token of the replay, which submits quarantined events again. */
export const REPLAY = Symbol('rescind.replay');
/** Injection token of the partitions and an operator's decisions about them. */
export const PARTITIONS = Symbol('rescind.partitions');
/** Injection token of {@link IsOperator}. */
export const OPERATOR = Symbol('rescind.operator');
/** Injection token of the doorkeeper of `POST /events`. */
export const DOOR = Symbol('rescind.door');

/** Whether a caller belongs to the tenant that operates the deployment. */
export type IsOperator = (caller: Caller) => boolean;
