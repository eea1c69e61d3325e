/**
 * Whether the caller would rather hear at once than wait: `Prefer: respond-async` (RFC 7240, 4.1). Other preferences are
 * ignored, as section 2 allows, also `wait`.
 */
export function prefersAsync(header: string | undefined): boolean {
  if (header === undefined) return false;
  // A quoted value may hold commas; what it holds is nobody's preference.
  return header
    .replaceAll(/"(?:[^"\\]|\\.)*"/g, '')
    .split(',')
    .some((preference) => preference.split(';', 1)[0]!.trim().toLowerCase() === 'respond-async');
}
