/** How long one statement of an answer that counts may take. It counts everything, and holds one connection of those for questions meanwhile. */
export const COUNTING_TIMEOUT_MS = 15_000;
