import type { Caller } from '../control/index.js';

/** Injection token of the HTTP intake. */
export const INTAKE = Symbol('rescind.intake');
/** Of what takes in again what was refused. */
export const REPLAY = Symbol('rescind.replay');
/** Of the partitions and what an operator decides about them. */
export const PARTITIONS = Symbol('rescind.partitions');
/** Of {@link IsOperator}. */
export const OPERATOR = Symbol('rescind.operator');
/** Of the doorkeeper of `POST /events`. */
export const DOOR = Symbol('rescind.door');

/** Whether a caller belongs to the tenant that operates the deployment. */
export type IsOperator = (caller: Caller) => boolean;
