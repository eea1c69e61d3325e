/** The place in the header for the moment that the pages show. Empty until a page takes one. */
export function TimeControl() {
  return null;
}
