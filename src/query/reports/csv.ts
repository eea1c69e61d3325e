export { csvLine } from '../../platform/csv/index.js';

/** Writes epoch seconds as RFC 3339, which people can read. */
export const csvTime = (seconds: number | null): string | null =>
  seconds === null ? null : new Date(seconds * 1000).toISOString().replace('.000', '');
