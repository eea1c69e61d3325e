/** Nest's name of the questions of this folder. */
export const EXPLORE = Symbol('rescind.explore');
