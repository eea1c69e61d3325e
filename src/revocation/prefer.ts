/**
 * Whether the caller would rather hear at once than wait: `Prefer: respond-async` (RFC 7240, 4.1). Other preferences are
 * ignored, as section 2 allows, also `wait`.
 */
export function prefersAsync(header: string | undefined): boolean {
  if (header === undefined) return false;
  // A quoted value may hold commas; what it holds is nobody's preference. A value without its closing quote goes to the end, so
  // that every quote is looked past once: the header is 16 KiB at most, and its sender's.
  return header
    .replaceAll(/"(?:[^"\\]|\\.)*(?:"|\\?$)/gs, '')
    .split(',')
    .some((preference) => preference.split(';', 1)[0]!.trim().toLowerCase() === 'respond-async');
}
