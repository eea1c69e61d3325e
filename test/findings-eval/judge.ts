import { KINDS, type Kind } from './kinds.js';
import type { Incident } from './truth.js';

/** A finding as far as it is judged. Times are epoch seconds. */
export interface Found {
  readonly kind: string;
  readonly first: number;
  readonly last: number;
  /** Everything that it says, in which names are looked for. */
  readonly text: string;
  /** Its sentence. */
  readonly says: string;
  /** Entries that the detections had read when it first showed. */
  readonly shownAt?: number;
}

export interface Verdict {
  /** Each incident with its findings of its own kind. */
  readonly incidents: readonly {
    readonly incident: Incident;
    readonly found: readonly Found[];
    /** Entries from its first event to its first finding. */
    readonly entriesToIt: number | undefined;
  }[];
  /** Findings that no incident explains. */
  readonly falseOnes: readonly Found[];
}

/** How much earlier than the incident a finding may say that it began: a batch of arrivals, and what led to it. */
const EARLIER_S = 6 * 3_600;

/** Whether a finding is about an incident: its kind, a time that overlaps, and one of its names. */
export function isAbout({ kind, first, last, text }: Found, incident: Incident): boolean {
  const isKind = kind === incident.kind || (incident.also as readonly string[]).includes(kind);
  return (
    isKind &&
    last >= incident.first - EARLIER_S &&
    first <= incident.until &&
    incident.named.some((names) => names.every((name) => text.includes(name)))
  );
}

/** Sets what was found against the truth. `firstEntries` are the incidents' first entries, in the order of the truth. */
export function judge(
  truth: readonly Incident[],
  found: readonly Found[],
  firstEntries: readonly number[] = [],
): Verdict {
  return {
    incidents: truth.map((incident, nth) => {
      const mine = found.filter((one) => one.kind === incident.kind && isAbout(one, incident));
      const shown = mine.flatMap(({ shownAt }) => shownAt ?? []);
      const first = firstEntries[nth];
      const entriesToIt =
        shown.length === 0 || first === undefined ? undefined : Math.max(0, Math.min(...shown) - first);
      return { incident, found: mine, entriesToIt };
    }),
    falseOnes: found.filter((one) => !truth.some((incident) => isAbout(one, incident))),
  };
}

export interface Row {
  readonly kind: Kind | string;
  readonly incidents: number;
  readonly found: number;
  /** Findings of found incidents; more than `found` where one incident became several findings. */
  readonly findings: number;
  /** Median of the entries from an incident's first event to its finding; undefined where the answers do not tell. */
  readonly entriesToIt: number | undefined;
  readonly falseOnes: number;
}

/** Adds verdicts up, a row for each kind; kinds that are only found stand at the end. */
export function rowsOf(verdicts: readonly Verdict[]): Row[] {
  const told = verdicts.flatMap(({ incidents }) => incidents);
  const wrong = verdicts.flatMap(({ falseOnes }) => falseOnes);
  const kinds = new Set<string>([...KINDS, ...wrong.map(({ kind }) => kind)]);
  return [...kinds].map((kind) => {
    const mine = told.filter(({ incident }) => incident.kind === kind);
    return {
      kind,
      incidents: mine.length,
      found: mine.filter(({ found }) => found.length > 0).length,
      findings: mine.reduce((sum, { found }) => sum + found.length, 0),
      entriesToIt: medianOf(mine.flatMap(({ entriesToIt }) => entriesToIt ?? [])),
      falseOnes: wrong.filter((one) => one.kind === kind).length,
    };
  });
}

function medianOf(numbers: readonly number[]): number | undefined {
  const sorted = [...numbers].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)];
}
