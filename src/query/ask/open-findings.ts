import { Type, type Static } from 'typebox';
import { nameSchemas } from '../../contracts/index.js';
import type { Snapshot } from '../../projections/index.js';
import { Count, lowerBound, maybe, strict, timeThat, Uuid } from './answer-parts.js';

/** Findings that an answer shows; `count` has all. */
export const SHOWN_FINDINGS = 3;

/** The open findings about the subject of an answer. */
export const OpenFindings = Type.Object(
  {
    count: Count,
    severity: maybe(Type.String({ description: 'the worst; null: there is none' })),
    items: Type.Array(
      Type.Object(
        {
          id: Uuid,
          kind: Type.String(),
          severity: Type.String(),
          says: Type.String({ description: 'says what was found' }),
          last_seen: timeThat('time of the last event of the evidence'),
        },
        strict,
      ),
      { description: `the ${SHOWN_FINDINGS} worst, the newest evidence first; \`/v1/findings\` has all` },
    ),
    ...lowerBound,
  },
  strict,
);
export type OpenFindings = Static<typeof OpenFindings>;

/** A member of answers that take `as_of`. */
export const findingsMember = {
  findings: Type.Union([OpenFindings, Type.Null()], {
    description:
      'Open findings about it, as they are now. null in an answer about the past: what was open then is not kept.',
  }),
};

nameSchemas({ OpenFindings });

/** The subject of an answer: ids of entities of one kind that are one subject, or the key of a token. */
export type FindingSubject =
  | { readonly kind: 'user' | 'client' | 'agent' | 'resource'; readonly ids: readonly number[] }
  | { readonly kind: 'token'; readonly key: Buffer };

/** Reads the open findings about a subject. `findings` implements it, which knows their sentences. */
export type ReadOpenFindings = (snapshot: Snapshot, subject: FindingSubject) => Promise<OpenFindings>;

const NONE: OpenFindings = { count: 0, severity: null, items: [] };

/** Returns the member of an answer. No finding is about a subject of another kind. */
export async function findingsOf(
  read: ReadOpenFindings | undefined,
  snapshot: Snapshot,
  subject: FindingSubject | undefined,
): Promise<{ readonly findings: OpenFindings | null }> {
  if (!snapshot.present || read === undefined) return { findings: null };
  return { findings: subject === undefined ? NONE : await read(snapshot, subject) };
}
