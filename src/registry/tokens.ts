/** Injection tokens of the registry. */
export const REGISTRY = Symbol('rescind.registry');
