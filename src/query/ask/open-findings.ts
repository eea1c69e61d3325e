import { Type, type Static } from 'typebox';
import { nameSchemas, SEVERITIES } from '../../contracts/index.js';
import type { Snapshot } from '../../projections/index.js';
import { Count, lowerBound, maybe, strict, timeThat, Uuid } from './answer-parts.js';

/** Findings that an answer shows; `count` has all. */
export const SHOWN_FINDINGS = 3;

export const OpenFindings = Type.Object(
  {
    count: Count,
    severity: maybe(Type.Enum([...SEVERITIES], { description: 'the worst; null: there is none' })),
    items: Type.Array(
      Type.Object(
        {
          id: Uuid,
          kind: Type.String(),
          severity: Type.Enum([...SEVERITIES]),
          says: Type.String({ description: 'says what was found' }),
          last_seen: timeThat('time of the last event of the evidence'),
        },
        strict,
      ),
      { description: `the ${SHOWN_FINDINGS} worst, the newest evidence first; \`/v1/findings\` has all` },
    ),
    ...lowerBound,
  },
  { ...strict, description: 'Open findings about it at the moment of the answer, as far as the detections had read.' },
);
export type OpenFindings = Static<typeof OpenFindings>;

/** A member of answers that take `as_of`. */
export const findingsMember = {
  findings: OpenFindings,
};

nameSchemas({ OpenFindings });

/** The subject of an answer: ids of entities of one kind that are one subject, or the key of a token. */
export type FindingSubject =
  | { readonly kind: 'user' | 'client' | 'agent' | 'resource'; readonly ids: readonly number[] }
  | { readonly kind: 'token'; readonly key: Buffer };

/** Reads the open findings about a subject. `findings` implements it, which knows their sentences. */
export type ReadOpenFindings = (snapshot: Snapshot, subject: FindingSubject) => Promise<OpenFindings>;

const NONE: OpenFindings = { count: 0, severity: null, items: [] };

/** Returns the member of an answer. No finding is about a subject of another kind, and none is there without `read`. */
export async function findingsOf(
  read: ReadOpenFindings | undefined,
  snapshot: Snapshot,
  subject: FindingSubject | undefined,
): Promise<{ readonly findings: OpenFindings }> {
  return { findings: read === undefined || subject === undefined ? NONE : await read(snapshot, subject) };
}
