/** Letters that may differ before two words are no longer alike. */
const MAX_DISTANCE = 3;

/** Finds the word that is nearest to a mistyped one; undefined if none is alike. */
export function nearest(typed: string, words: Iterable<string>): string | undefined {
  let best: { readonly word: string; readonly distance: number } | undefined;
  for (const word of words) {
    const distance = word.startsWith(typed) && typed.length > 1 ? 1 : distanceOf(typed, word);
    const isAlike = distance <= MAX_DISTANCE && distance < Math.max(typed.length, 2) / 2 + 1;
    if (isAlike && (best === undefined || distance < best.distance)) best = { word, distance };
  }
  return best?.word;
}

/** Counts the letters to insert, delete or replace (Levenshtein). */
function distanceOf(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let at = 1; at <= one.length; at += 1) {
    const next = [at];
    for (let to = 1; to <= other.length; to += 1)
      next.push(Math.min(row[to]! + 1, next[to - 1]! + 1, row[to - 1]! + (one[at - 1] === other[to - 1] ? 0 : 1)));
    row = next;
  }
  return row[other.length]!;
}
