/** Stands in the list of commands, for which nothing else of `explore` is loaded. */
export const EXPLORE_DESCRIPTION =
  'ask anything about who accessed what: grouped, filtered, compared (needs the role audit)';
