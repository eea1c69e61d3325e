/** Injection token of the HTTP intake. */
export const INTAKE = Symbol('rescind.intake');
