/** The release. Here alone, so that `rescind --version` loads nothing else. */
export const VERSION = '0.1.0';
