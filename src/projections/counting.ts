/** The most rows that one step of an answer counts. Up to this limit numbers are exact; beyond it the answer says `at_least` beside the number. */
export const MAX_COUNTED = 1_000_000;
/** How long a counting statement may take, milliseconds. Meanwhile it occupies one of the connections for questions. */
export const COUNTING_TIMEOUT_MS = 15_000;
