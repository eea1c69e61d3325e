import { Type, type Static } from 'typebox';
import { Count, instantText, maybe, strict, timeThat, Uuid } from '../../contracts/index.js';
import type { Snapshot } from '../../projections/index.js';
import { OUTCOMES, outcomeText, type Hits, type Outcome } from './decide.js';

const ACTIONS = `SELECT finding, action, outcome, why, selector, hits, rule, at_ms FROM finding_action
  WHERE tenant = $1 AND finding = ANY ($2::uuid[])`;

export const FindingAction = Type.Object(
  {
    action: Type.Enum(['dry-run', 'block'], { description: 'the action of the detection when it decided' }),
    outcome: Type.Enum([...OUTCOMES]),
    says: Type.String({ description: 'says what became of it' }),
    selector: maybe(Type.Unsafe<object>({ type: 'object', description: 'of the rule that was decided about' })),
    hits: maybe(
      Type.Object(
        { users: Count, tokens: Count },
        { ...strict, description: 'what the rule would hit, by its preview' },
      ),
    ),
    rule: maybe(Uuid),
    at: timeThat('when the detection decided'),
  },
  {
    ...strict,
    description:
      'The decision of the detection about the finding; with `as_of` there is none, since decisions are kept as they are now. `would-order`: a dry run. `over-cap`, `too-many`, `refused`, `left`, `withdrawn`: it ordered no rule. `ordering`, `unconfirmed`: the rule is not known to be in force. `ordered`: `rule` came into force; `GET /v1/revocations/{rule}` tells whether it was lifted.',
  },
);
export type FindingAction = Static<typeof FindingAction>;

interface Row {
  readonly [column: string]: unknown;
  readonly finding: string;
  readonly action: FindingAction['action'];
  readonly outcome: Outcome;
  readonly why: string | null;
  readonly selector: object | null;
  readonly hits: Hits | null;
  readonly rule: string | null;
  readonly at_ms: string;
}

/** Reads what detections did with findings by themselves, by the findings' ids. */
export async function readActions(
  snapshot: Snapshot,
  findings: readonly string[],
): Promise<ReadonlyMap<string, FindingAction>> {
  const rows = findings.length === 0 ? [] : await snapshot.rows<Row>(ACTIONS, [findings]);
  return new Map(
    rows.map(({ finding, action, outcome, why, selector, hits, rule, at_ms: at }) => [
      finding,
      {
        action,
        outcome,
        says: outcomeText(outcome, { why, rule, hits }),
        selector,
        hits: hits === null ? null : { users: hits.users, tokens: hits.tokens },
        rule,
        at: instantText(Number(at)),
      },
    ]),
  );
}
