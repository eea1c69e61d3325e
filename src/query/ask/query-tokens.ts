/** Injection tokens of the read API. */
export const QUESTIONS = Symbol('rescind.questions');
export const OPEN_API = Symbol('rescind.open-api');
