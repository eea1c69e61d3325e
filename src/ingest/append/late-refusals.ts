import type { RejectCode } from '../../contracts/index.js';
import type { Judged, Submission } from './submission.js';

/** Accepted events of a batch that are refused after all. A copy stands in an event's place for the rest of the batch's life. */
export interface LateRefusals {
  /** Refuses these events and leaves the others as they are. */
  refuse(
    submissions: readonly Submission[],
    refused: ReadonlySet<Judged>,
    code: RejectCode,
    detail: string,
  ): readonly Submission[];
  /** Returns the event as it was submitted. */
  originalOf(judged: Judged): Judged;
}

export function createLateRefusals(): LateRefusals {
  const originals = new Map<Judged, Judged>();
  const originalOf = (judged: Judged): Judged => originals.get(judged) ?? judged;
  return {
    refuse(submissions, refused, code, detail) {
      if (refused.size === 0) return submissions;
      const place = (judged: Judged): Judged => {
        if (!refused.has(judged)) return judged;
        const copy = { ...judged, accepted: false, code, detail } as Judged;
        originals.set(copy, originalOf(judged));
        return copy;
      };
      return submissions.map((submission) => ({ ...submission, events: submission.events.map(place) }));
    },
    originalOf,
  };
}
