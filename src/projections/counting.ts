/** Rows that one step of an answer counts. Up to it every number is exact; an answer that meets more says `at_least` beside the number. */
export const MAX_COUNTED = 1_000_000;
/** How long one statement of an answer that counts may take. It counts everything, and holds one connection of those for questions meanwhile. */
export const COUNTING_TIMEOUT_MS = 15_000;
