import { useEffect, useState } from 'react';

const KEY = 'rescind-last-visit';
/** A look after so long a pause begins another visit. */
export const PAUSE_MS = 30 * 60_000;
const NOTE_EVERY_MS = 60_000;

/** Times are epoch milliseconds. */
export interface Visit {
  /** The end of the visit before; undefined on the first one. */
  readonly since?: number;
  /** When somebody looked last. */
  readonly seen: number;
}

/** Continues the visit that the browser keeps, or begins another one if nobody looked for a while. */
export function visitAt(kept: string | null, now: number): Visit {
  const { since, seen } = readVisit(kept);
  if (seen === undefined || seen > now) return { seen: now };
  if (now - seen > PAUSE_MS) return { since: seen, seen: now };
  return { ...(since === undefined ? {} : { since }), seen: now };
}

function readVisit(kept: string | null): Partial<Visit> {
  try {
    const { since, seen } = JSON.parse(kept ?? '{}') as Readonly<Record<string, unknown>>;
    return {
      ...(Number.isSafeInteger(since) ? { since: since as number } : {}),
      ...(Number.isSafeInteger(seen) ? { seen: seen as number } : {}),
    };
  } catch {
    return {};
  }
}

/** The visit of this page, noted while the page is seen. `markSeen` says that everything up to now is known. */
export function useVisit(): Visit & { readonly markSeen: () => void } {
  const [visit, setVisit] = useState(() => visitAt(localStorage.getItem(KEY), Date.now()));
  useEffect(() => {
    const note = (): void => {
      if (document.visibilityState !== 'visible') return;
      localStorage.setItem(KEY, JSON.stringify(visitAt(localStorage.getItem(KEY), Date.now())));
    };
    note();
    const timer = window.setInterval(note, NOTE_EVERY_MS);
    return () => window.clearInterval(timer);
  }, []);
  return {
    ...visit,
    markSeen() {
      const seen = Date.now();
      localStorage.setItem(KEY, JSON.stringify({ since: seen, seen }));
      setVisit({ since: seen, seen });
    },
  };
}
