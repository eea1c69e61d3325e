/**
 * Whether the caller would rather hear at once than wait: `Prefer: respond-async` (RFC 7240, 4.1). Preferences that are not known here are
 * ignored, as section 2 allows, also `wait`.
 */
export const prefersAsync = (header: string | undefined): boolean => prefers(header, (preference) => preference === 'respond-async');

/** Whether the caller wants no more than what was confirmed: `Prefer: return=minimal` (RFC 7240, 4.2). */
export const prefersMinimal = (header: string | undefined): boolean => prefers(header, (preference) => /^return\s*=\s*minimal$/.test(preference));

function prefers(header: string | undefined, matches: (preference: string) => boolean): boolean {
  if (header === undefined) return false;
  // A quoted value may hold commas; what it holds is nobody's preference. A value without its closing quote goes to the end, so
  // that every quote is looked past once: the header is 16 KiB at most, and its sender's.
  return header
    .replaceAll(/"(?:[^"\\]|\\.)*(?:"|\\?$)/gs, '')
    .split(',')
    .some((preference) => matches(preference.split(';', 1)[0]!.trim().toLowerCase()));
}
