/** Injection token of `Revocations`. */
export const REVOCATIONS = Symbol('rescind.revocations');
