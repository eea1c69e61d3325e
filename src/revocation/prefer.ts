/**
 * Whether the caller prefers an answer at once to waiting: `Prefer: respond-async` (RFC 7240, 4.1). Unknown preferences, `wait` among them,
 * are ignored, as section 2 allows.
 */
export const prefersAsync = (header: string | undefined): boolean =>
  prefers(header, (preference) => preference === 'respond-async');

/** Whether the caller wants only the confirmation: `Prefer: return=minimal` (RFC 7240, 4.2). */
export const prefersMinimal = (header: string | undefined): boolean =>
  prefers(header, (preference) => /^return\s*=\s*minimal$/.test(preference));

function prefers(header: string | undefined, matches: (preference: string) => boolean): boolean {
  if (header === undefined) return false;
  // A quoted value may hold commas but no preference. A value without its closing quote extends to the end, so that every quote is passed
  // once; the header is at most 16 KiB and comes from the sender.
  return header
    .replaceAll(/"(?:[^"\\]|\\.)*(?:"|\\?$)/gs, '')
    .split(',')
    .some((preference) => matches(preference.split(';', 1)[0]!.trim().toLowerCase()));
}
