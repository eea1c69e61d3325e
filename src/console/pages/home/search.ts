/** How far back the news go. Absent: to the last visit with this browser. */
export type Since = '24h' | '7d';
export const SINCE: readonly Since[] = ['24h', '7d'];

export interface HomeSearch {
  readonly since?: Since;
}

/** Reads the search of a URL that anybody may have written: what is not known is left out. */
export function readHomeSearch({ since }: Record<string, unknown>): HomeSearch {
  return { since: SINCE.find((one) => one === since) };
}
